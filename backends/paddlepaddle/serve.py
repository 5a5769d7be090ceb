"""Loading what export.py has saved: each function returns the network, a function of rows on the host."""

import os
import threading

import paddle
from paddle import inference as paddle_inference


def jit_save(folder):
    net = paddle.jit.load(os.path.join(folder, "model"))
    net.eval()
    return lambda x: net(paddle.to_tensor(x)).numpy()


def inference(folder):
    program = os.path.join(folder, "model.json")
    config = paddle_inference.Config(program, os.path.join(folder, "model.pdiparams"))
    config.set_cpu_math_library_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    predictor = paddle_inference.create_predictor(config)
    given = predictor.get_input_handle(predictor.get_input_names()[0])
    wanted = predictor.get_output_handle(predictor.get_output_names()[0])

    lock = threading.Lock()  # a predictor serves one thread at a time

    def predict(x):
        with lock:
            given.reshape(x.shape)
            given.copy_from_cpu(x)
            predictor.run()
            return wanted.copy_to_cpu()

    return predict
