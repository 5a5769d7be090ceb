"""Search files with one dimension, and with several."""

LINEAR = 'space.network.bn_decay = { scale = "linear", low = 0.1, high = 0.9 }'
LOG = 'space.optimiser.learning_rate = { scale = "log", low = 1e-4, high = 1.0 }'
ONE_MINUS = 'space.optimiser.beta1 = { scale = "one-minus", low = 0.9, high = 0.999 }'
INTEGER = 'space.training.batch_size = { scale = "integer", low = 2, high = 8 }'
CHOICE = 'space.network.activation = { scale = "choice", values = ["relu", "tanh", "sigmoid"] }'

THREE = f"""
spec.training.epochs = 2
spec.network.hidden = [8]
{LOG}
{ONE_MINUS}
space.network.bn_epsilon = {{ scale = "log", low = 1e-6, high = 1e-2 }}
"""
"""Three dimensions: a grid of 3 x 3 x 3 points."""
