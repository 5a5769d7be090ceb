import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * The common network in Deeplearning4j, as its users write it.
 *
 * https://deeplearning4j.konduit.ai/en-1.0.0-beta7/getting-started/quickstart
 * https://deeplearning4j.konduit.ai/en-1.0.0-beta7/models/layers
 * https://deeplearning4j.konduit.ai/en-1.0.0-beta7/config/updaters
 */
public class Model {
    public final MultiLayerNetwork net;
    private INDArray x;
    private INDArray y;

    public Model(int[] sizes, String activation, boolean batchNorm, double bnEpsilon, double bnDecay, IUpdater updater,
            String dtype) {
        List<Layer> layers = new ArrayList<>();
        int last = sizes.length - 2;
        Activation function = Activation.fromString(activation);
        for (int i = 0; i < last; i++) {
            layers.add(new DenseLayer.Builder().nIn(sizes[i]).nOut(sizes[i + 1]).hasBias(!batchNorm)
                    .activation(batchNorm ? Activation.IDENTITY : function).build());
            if (batchNorm) {
                layers.add(new BatchNormalization.Builder().nOut(sizes[i + 1]).eps(bnEpsilon).decay(bnDecay)
                        .useLogStd(false).build());
                layers.add(new ActivationLayer.Builder().activation(function).build());
            }
        }
        layers.add(new OutputLayer.Builder(LossFunction.MCXENT).nIn(sizes[last]).nOut(sizes[last + 1])
                .activation(Activation.SOFTMAX).build());
        NeuralNetConfiguration.ListBuilder list = new NeuralNetConfiguration.Builder().dataType(dataType(dtype))
                .updater(updater).list();
        for (Layer layer : layers) {
            list.layer(layer);
        }
        MultiLayerConfiguration configuration = list.build();
        net = new MultiLayerNetwork(configuration);
        net.init();
    }

    public static DataType dataType(String dtype) {
        return dtype.equals("float64") ? DataType.DOUBLE : DataType.FLOAT;
    }

    /** Return Deeplearning4j's own updater of that name. */
    public static IUpdater updater(String name, double learningRate, double beta1, double beta2, double epsilon) {
        switch (name) {
            case "sgd":
                return new Sgd(learningRate);
            case "momentum":
                return new Nesterovs(learningRate, beta1);
            case "rmsprop":
                return new RmsProp(learningRate, beta2, epsilon);
            default:
                return new Adam(learningRate, beta1, beta2, epsilon);
        }
    }

    /** Keep the training rows and their one-hot labels. */
    public void put(INDArray x, INDArray y) {
        this.x = x;
        this.y = y;
    }

    /** Train on the rows that order (steps, batch) names; return the losses. */
    public double[] train(int[][] order) {
        double[] losses = new double[order.length];
        for (int step = 0; step < order.length; step++) {
            net.fit(new DataSet(x.getRows(order[step]), y.getRows(order[step])));
            losses[step] = net.score();
        }
        return losses;
    }

    /** Return the gradients of the mean loss of a batch, by the names of the parameters. */
    public Map<String, INDArray> gradients(INDArray x, INDArray y) {
        net.setInput(x);
        net.setLabels(y);
        net.computeGradientAndScore();
        Map<String, INDArray> means = new HashMap<>();
        // The gradients are of the sum of the losses; the updater divides by the rows.
        net.gradient().gradientForVariable().forEach((name, sum) -> means.put(name, sum.div(x.rows())));
        return means;
    }

    /** Return the probabilities (batch, classes), by the running statistics. */
    public INDArray predict(INDArray x) {
        return net.output(x);
    }

    /** Return the one-hot rows of labels. */
    public static INDArray oneHot(int[] labels, int classes, String dtype) {
        INDArray rows = Nd4j.zeros(dataType(dtype), labels.length, classes);
        for (int row = 0; row < labels.length; row++) {
            rows.putScalar(row, labels[row], 1);
        }
        return rows;
    }
}
