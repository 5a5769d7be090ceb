"""Serving a .tflite file by LiteRT, as its users write it.

https://ai.google.dev/edge/litert/inference
"""

import os
import threading

from ai_edge_litert.interpreter import Interpreter


def load(folder):
    threads = int(os.environ["OMP_NUM_THREADS"])
    runner = Interpreter(os.path.join(folder, "model.tflite"), num_threads=threads).get_signature_runner()
    (given,) = runner.get_input_details()
    (wanted,) = runner.get_output_details()
    lock = threading.Lock()  # an interpreter serves one thread at a time

    def predict(x):
        with lock:
            return runner(**{given: x})[wanted]

    return predict
