"""The common network in Caffe2, as its users write it.

https://caffe2.ai/docs/tutorial-MNIST.html
https://caffe2.ai/docs/brew.html
https://caffe2.ai/docs/operators-catalogue.html
"""

import numpy as np
from caffe2.python import brew, core, model_helper, optimizer, workspace
from caffe2.python.modeling import initializers

ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid"}


def network(model, sizes, activation, batch_norm, bn_epsilon, bn_decay, training):
    """Add the network to a model: from the blob data to the blob logits."""
    blob = "data"
    for i, (fan_in, fan_out) in enumerate(zip(sizes[:-2], sizes[1:-1])):
        name = "dense%d" % i
        if batch_norm:
            start = initializers.Initializer("XavierFill") if model.init_params else initializers.ExternalInitializer()
            weight = model.create_param(name + "_w", [fan_out, fan_in], start)
            model.net.MatMul([blob, weight], name, trans_b=1)
            # The gradient of the batch norm of images wants a third dimension.
            model.net.ExpandDims(name, name + "_image", dims=[2])
            norm = brew.spatial_bn(
                model,
                name + "_image",
                "norm%d" % i,
                fan_out,
                epsilon=bn_epsilon,
                momentum=bn_decay,
                is_test=int(not training),
            )
            blob = model.net.Squeeze(norm, "norm%d_rows" % i, dims=[2])
        else:
            blob = brew.fc(model, blob, name, dim_in=fan_in, dim_out=fan_out)
        blob = getattr(model.net, ACTIVATIONS[activation])(blob, "activation%d" % i)
    brew.fc(model, blob, "dense%d" % (len(sizes) - 2), dim_in=sizes[-2], dim_out=sizes[-1])
    return "dense%d" % (len(sizes) - 2)


def add_loss(model, logits):
    """Add the mean cross-entropy, and the gradients of it."""
    model.net.SoftmaxWithLoss([logits, "label"], ["softmax", "loss"])
    model.AddGradientOperators(["loss"])


def add_optimiser(model, name, learning_rate, beta1, beta2, epsilon):
    """Add Caffe2's own optimiser of that name."""
    if name == "sgd":
        optimizer.build_sgd(model, learning_rate)
    elif name == "momentum":
        optimizer.build_sgd(model, learning_rate, momentum=beta1, nesterov=False)
    elif name == "rmsprop":
        optimizer.build_rms_prop(model, learning_rate, decay=beta2, momentum=0.0, epsilon=epsilon)
    else:
        add_adam(model, learning_rate, beta1, beta2, epsilon)


def add_adam(model, learning_rate, beta1, beta2, epsilon):
    """Add the operator Adam for each parameter; build_adam counts a step before it, and the operator another one."""
    start, net = model.param_init_net, model.net
    count = start.ConstantFill([], "iteration", shape=[1], value=0, dtype=core.DataType.INT64)
    rate = net.LearningRate(count, "rate", base_lr=-learning_rate, policy="fixed")
    for param in model.params:
        moments = [start.ConstantFill([param], "%s_moment%d" % (param, i), value=0.0) for i in (1, 2)]
        net.Adam(
            [param, *moments, model.param_to_grad[param], rate, count],
            [param, *moments],
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
        )
    net.Iter(count, count)


def models(sizes, optimiser, constants, **hyper):
    """Make the nets train, gradients and predict; return the model whose net trains, with the net that starts it."""
    workspace.ResetWorkspace()
    for name, rows in (("data", np.zeros((1, sizes[0]), np.float32)), ("label", np.zeros(1, np.int32))):
        workspace.FeedBlob(name, rows)
    train = model_helper.ModelHelper("train")
    add_loss(train, network(train, sizes, training=True, **hyper))
    add_optimiser(train, optimiser, **constants)
    gradients = model_helper.ModelHelper("gradients", init_params=False)
    add_loss(gradients, network(gradients, sizes, training=True, **hyper))
    predict = model_helper.ModelHelper("predict", init_params=False)
    predict.net.Softmax(network(predict, sizes, training=False, **hyper), "probabilities")
    workspace.RunNetOnce(train.param_init_net)
    for model in (train, gradients, predict):
        workspace.CreateNet(model.net)
    return train, gradients, predict


def start(model):
    """Set the parameters and the state of the optimiser to their first values."""
    workspace.RunNetOnce(model.param_init_net)


def run(model, x, y):
    """Run a net on a batch."""
    workspace.FeedBlob("data", x)
    workspace.FeedBlob("label", y)
    workspace.RunNet(model.net)


def train(model, x, y, order):
    """Train on the rows that `order` (steps, batch) names; return the losses, (steps,)."""
    losses = np.empty(len(order), np.float32)
    for step, rows in enumerate(order):
        run(model, x[rows], y[rows])
        losses[step] = workspace.FetchBlob("loss")
    return losses
