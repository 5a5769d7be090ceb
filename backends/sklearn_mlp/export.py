"""The ways to deploy the trained network, as scikit-learn's users write them.

https://scikit-learn.org/stable/model_persistence.html
https://onnx.ai/sklearn-onnx/
"""

import os

import joblib


def joblib_file(net, x, folder):
    """Save the estimator as joblib pickles it."""
    joblib.dump(net, os.path.join(folder, "model.joblib"))


def onnx(net, x, folder):
    """Save an ONNX file, whose last output is the probabilities."""
    from skl2onnx import to_onnx

    with open(os.path.join(folder, "model.onnx"), "wb") as file:
        file.write(to_onnx(net, x, options={"zipmap": False}).SerializeToString())
