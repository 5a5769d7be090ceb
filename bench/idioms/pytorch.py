"""Other ways to write the steps of pytorch's model.py.

https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html
https://docs.pytorch.org/tutorials/recipes/compiling_optimizer.html
"""

import torch


def with_optimiser(**arguments):
    def prepare(bare, model, *given):
        def adam(name, parameters, learning_rate, beta1, beta2, epsilon):
            return torch.optim.Adam(parameters, lr=learning_rate, betas=(beta1, beta2), eps=epsilon, **arguments)

        model.optimiser = adam
        return bare.prepare(model, *given)

    return prepare


def with_train(train):
    def prepare(bare, model, *given):
        model.train = train
        return bare.prepare(model, *given)

    return prepare


def by_index_select(net, optimiser, x, y, order, loss_of):
    net.train()
    losses = []
    for rows in order:
        loss = loss_of(net, x.index_select(0, rows), y.index_select(0, rows))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return torch.stack(losses)


def all_rows_at_once(net, optimiser, x, y, order, loss_of):
    net.train()
    losses = []
    for some, labels in zip(x[order], y[order]):
        loss = loss_of(net, some, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return torch.stack(losses)


def zeroed_in_place(net, optimiser, x, y, order, loss_of):
    net.train()
    losses = []
    for rows in order:
        loss = loss_of(net, x[rows], y[rows])
        optimiser.zero_grad(set_to_none=False)
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return torch.stack(losses)


def whole_step_compiled(bare, model, *given):
    loss_of = model.loss_of

    def train(net, optimiser, x, y, order, _):
        net.train()
        if not hasattr(train, "step"):

            @torch.compile
            def step(some, labels):
                loss = loss_of(net, some, labels)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                return loss.detach()

            train.step = step
        return torch.stack([train.step(x[rows], y[rows]) for rows in order])

    model.train = train
    return bare.prepare(model, *given)


def compiled_longer(bare, model, *given):
    compiled = torch.compile
    torch.compile = lambda function: compiled(function, mode="max-autotune-no-cudagraphs")
    return bare.prepare(model, *given)


IDIOMS = {
    "eager": {
        "Adam for each array in one call (foreach)": with_optimiser(foreach=True),
        "Adam array by array": with_optimiser(foreach=False),
        "rows by index_select": with_train(by_index_select),
        "the rows of all steps taken at once": with_train(all_rows_at_once),
        "gradients set to zero in place": with_train(zeroed_in_place),
    },
    "compiled": {
        "the whole step compiled, optimiser and all": whole_step_compiled,
        "max-autotune": compiled_longer,
    },
}
