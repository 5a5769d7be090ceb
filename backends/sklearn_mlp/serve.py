"""Loading what export.py has saved: each function returns the network, a function of rows on the host."""

import os

import joblib


def joblib_file(folder):
    return joblib.load(os.path.join(folder, "model.joblib")).predict_proba
