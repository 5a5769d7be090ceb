"""A checkpoint in the middle of training, as CNTK's users write it: the trainer's, with the learner's state.

https://cntk.ai/pythondocs/cntk.train.trainer.html
"""

import os


def save(trainer, folder):
    trainer.save_checkpoint(os.path.join(folder, "checkpoint"))


def restore(trainer, folder):
    trainer.restore_from_checkpoint(os.path.join(folder, "checkpoint"))
