"""Twenty mistakes that people of each framework really make, and what the sentence about each must say.

Each is one replacement in a copy of the backend's folder. The sentence begins with the phase, its first clause ends
with the array, and the cause is in the words of mutants.py.
"""

from typing import NamedTuple


class WrongCopy(NamedTuple):
    """A mistake: the text that stands in the file, what is written in its place, and what must be said of it."""

    name: str
    backend: str
    variant: str
    file: str
    right: str
    wrong: str
    phase: str
    array: str
    cause: str
    dtype: str = "float64"
    status: str = "fails"
    """The worst of the checks that measure: what only loses precision is no fault."""


NUMPY = (
    WrongCopy(
        "rebound-where-in-place-was-meant",
        "numpy_plain",
        "plain",
        "model.py",
        "                average *= self.decay\n                average += (1 - self.decay) * value\n",
        "                average = self.decay * average + (1 - self.decay) * value\n",
        phase="running statistics",
        array="norm0/running_mean after 1 step",
        cause="leaves the running statistics as they were loaded",
    ),
    WrongCopy(
        "variance-of-a-sample-in-training",
        "numpy_plain",
        "plain",
        "model.py",
        'np.einsum("ij,ij->j", z_hat, z_hat) / len(z)',
        "z_hat.var(axis=0, ddof=1)",
        phase="loss",
        array="of the batch after 1 step",
        cause="normalises training batches with the variance divided by m - 1",
    ),
    WrongCopy(
        "labels-index-columns-of-every-row",
        "numpy_plain",
        "plain",
        "model.py",
        "d[rows, y] -= 1",
        "d[:, y] -= 1",
        phase="gradient",
        array="dense2/bias at the start",
        cause="takes 1 off the probability of every label in the batch, in every row",
    ),
    WrongCopy(
        "gradient-past-the-variance",
        "numpy_plain",
        "plain",
        "model.py",
        "        d -= self.z_hat\n",
        "",
        phase="gradient",
        array="dense1/kernel at the start",
        cause="takes batch norm's variance for a constant in the gradient",
    ),
    WrongCopy(
        "epsilon-before-the-root",
        "numpy_plain",
        "plain",
        "model.py",
        "        np.sqrt(self.scratch, out=self.scratch)\n        self.scratch += self.epsilon\n",
        "        self.scratch += self.epsilon\n        np.sqrt(self.scratch, out=self.scratch)\n",
        phase="update",
        array="dense0/kernel after 1 step",
        cause="adds Adam's epsilon inside the square root",
    ),
)

TENSORFLOW = (
    WrongCopy(
        "numpy-inside-the-tape",
        "tensorflow_core",
        "eager",
        "model.py",
        "tf.nn.moments(z, axes=[0])",
        "tf.nn.moments(z.numpy(), axes=[0])",
        phase="gradient",
        array="dense1/kernel at the start",
        cause="takes batch norm's mean and variance for constants in the gradient",
    ),
    WrongCopy(
        "gradient-of-a-vector-of-losses",
        "tensorflow_core",
        "function",
        "model.py",
        "        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))\n"
        "    return loss, tape",
        "        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)\n"
        "    return tf.reduce_mean(loss), tape",
        phase="gradient",
        array="dense2/bias at the start",
        cause="sums the gradient over the batch, and takes the mean of the loss",
    ),
    WrongCopy(
        "epsilon-hat-not-declared",
        "tensorflow_core",
        "function",
        "model.py",
        "self.learning_rate * (v / v_share) / (tf.sqrt(s / s_share) + self.epsilon)",
        "self.learning_rate * tf.sqrt(s_share) / v_share * v / (tf.sqrt(s) + self.epsilon)",
        phase="update",
        array="dense0/kernel after 1 step",
        cause="`adam: epsilon-hat`",
    ),
    WrongCopy(
        "network-called-again-for-the-accuracy",
        "tensorflow_core",
        "eager",
        "model.py",
        "        logits = net(x, training=True)\n",
        "        correct = tf.equal(tf.argmax(net(x, training=True), axis=1), y)\n"
        "        accuracy = tf.reduce_mean(tf.cast(correct, x.dtype))\n"
        "        logits = net(x, training=True)\n",
        phase="running statistics",
        array="norm0/running_mean after 1 step",
        cause="moves the running statistics twice a step",
    ),
    WrongCopy(
        "deviation-given-for-the-variance",
        "tensorflow_core",
        "eager",
        "model.py",
        "self.normalise(z, self.running_mean, self.running_var)",
        "self.normalise(z, self.running_mean, tf.sqrt(self.running_var))",
        phase="test mode",
        array="probabilities after 1 step",
        cause="takes the running deviation for the variance in test mode",
    ),
)

JAX = (
    WrongCopy(
        "training-set-in-predict",
        "jax_pure",
        "step",
        "model.py",
        "training=False",
        "training=True",
        phase="forward",
        array="probabilities at the start",
        cause="predicts with the batch's own statistics",
    ),
    WrongCopy(
        "gradient-stopped-at-the-statistics",
        "jax_pure",
        "step",
        "model.py",
        "mean, var = x.mean(axis=0), x.var(axis=0)",
        "mean, var = jax.lax.stop_gradient((x.mean(axis=0), x.var(axis=0)))",
        phase="gradient",
        array="dense1/kernel at the start",
        cause="takes batch norm's mean and variance for constants in the gradient",
    ),
    WrongCopy(
        "step-count-not-handed-on",
        "jax_pure",
        "step",
        "model.py",
        "return jax.tree.map(step, params, m, v), (m, v, t)",
        "return jax.tree.map(step, params, m, v), (m, v, state[2])",
        phase="update",
        array="dense0/kernel after 10 steps",
        cause="corrects the bias of every step of Adam as if it were the first",
    ),
    WrongCopy(
        "averages-not-handed-on",
        "jax_pure",
        "scan",
        "model.py",
        "(loss, averages), grads = loss_and_grads",
        "(loss, _), grads = loss_and_grads",
        phase="running statistics",
        array="norm0/running_mean after 1 step",
        cause="leaves the running statistics as they were loaded",
    ),
    WrongCopy(
        "bias-correction-in-float32",
        "jax_pure",
        "step",
        "model.py",
        "(-jnp.expm1(t * math.log(beta)) if beta else 1.0 for beta in (beta1, beta2))",
        "(1 - beta**t for beta in (beta1, beta2))",
        phase="update",
        array="dense2/bias after 1 step",
        cause="computes Adam's 1 - beta**t in float32",
        dtype="float32",
        status="loses precision",
    ),
)

PYTORCH = (
    WrongCopy(
        "eval-left-out",
        "pytorch",
        "eager",
        "model.py",
        "    net.eval()\n",
        "",
        phase="forward",
        array="probabilities at the start",
        cause="predicts in training mode: with the batch's own statistics, and the running ones move",
    ),
    WrongCopy(
        "softmax-before-cross-entropy",
        "pytorch",
        "compiled",
        "model.py",
        "F.cross_entropy(net(x), y)",
        "F.cross_entropy(F.softmax(net(x), dim=1), y)",
        phase="loss",
        array="of the batch after 1 step",
        cause="takes the loss of the probabilities as if they were logits",
    ),
    WrongCopy(
        "zero-grad-left-out",
        "pytorch",
        "eager",
        "model.py",
        "        optimiser.zero_grad()\n",
        "",
        phase="update",
        array="dense0/kernel after 1 step",  # the first: what `gradients` left is added to it
        cause="adds every gradient to those before it, also to one that was only looked at",
    ),
    WrongCopy(
        "momentum-taken-for-what-is-kept",
        "pytorch",
        "eager",
        "model.py",
        "momentum=1 - bn_decay",
        "momentum=bn_decay",
        phase="running statistics",
        array="norm0/running_mean after 1 step",
        cause="keeps 1 - bn_decay of the old running statistics",
    ),
    WrongCopy(
        "unbiased-variance-not-declared",
        "pytorch",
        "eager",
        "adapter.py",
        '"running_variance": "unbiased", ',
        "",
        phase="running statistics",
        array="norm0/running_var after 1 step",
        cause="`running_variance: unbiased`",
    ),
)

# Those with the same conventions together: the suspects are worked out once for them all, and then forgotten.
WRONG_COPIES = (*NUMPY, *TENSORFLOW, *JAX, *PYTORCH)
