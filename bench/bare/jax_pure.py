"""The loop of jax_pure's model.py with nothing around it."""

import jax
import jax.numpy as jnp


def prepare(model, spec, arrays, x, y, order, variant):
    jax.config.update("jax_enable_x64", spec["dtype"] == "float64")
    params, averages = [], []
    for layer, width in enumerate(spec["sizes"][1:]):
        params.append({"dense": {"kernel": jnp.array(arrays["dense%d/kernel" % layer])}})
        last = layer == len(spec["sizes"]) - 2
        if last or not spec["batch_norm"]:
            params[-1]["dense"]["bias"] = jnp.zeros(width, spec["dtype"])
        if not last:
            averages.append({})
        if not last and spec["batch_norm"]:
            params[-1]["norm"] = {"gamma": jnp.ones(width, spec["dtype"]), "beta": jnp.zeros(width, spec["dtype"])}
            averages[-1] = {"mean": jnp.zeros(width, spec["dtype"]), "var": jnp.ones(width, spec["dtype"])}
    network = {key: spec[key] for key in ("activation", "bn_epsilon", "bn_decay")}
    constants = {key: spec[key] for key in ("learning_rate", "beta1", "beta2", "epsilon")}
    train = model.trainer(network, spec["optimiser"], constants)[variant]
    state = [model.begin(params, averages)]
    x, y = jnp.array(x), jnp.array(y)

    def run():
        state[0], _ = train(state[0], x, y, order)
        jax.block_until_ready(state[0])

    return run
