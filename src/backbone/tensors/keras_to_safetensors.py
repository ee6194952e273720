"""Weights of keras.applications (.h5) as .safetensors: python keras_to_safetensors.py WEIGHTS.h5 NETWORK OUT.safetensors

NETWORK is torchvision's name of the same network, such as vgg16: names and order come from it, numbers from WEIGHTS.
Keras' networks differ in padding, eps and preprocessing: write OUT.json beside it with what yours needs.
"""
import sys

import h5py
import numpy as np
import torchvision
from safetensors.numpy import save_file


def arrays(group):
    """Kernels in PyTorch's order of axes, layer by layer."""
    before = None
    for layer in group.attrs['layer_names']:
        layer = group[layer]
        for name in layer.attrs['weight_names']:
            name = name.decode() if isinstance(name, bytes) else name
            array = np.asarray(layer[name], dtype=np.float32)
            if array.ndim == 4:
                # (height, width, in, out); depthwise (height, width, channels, 1).
                array = array.transpose((2, 3, 0, 1) if 'depthwise' in name else (3, 2, 0, 1))
                before = array.shape[0]
            elif array.ndim == 2:
                # The first dense layer behind a map reads it height first, PyTorch's channels first.
                rows, side = array.shape[0], round((array.shape[0] / before) ** 0.5) if before else 1
                if side > 1 and side * side * before == rows:
                    array = array.reshape(side, side, before, -1).transpose(2, 0, 1, 3).reshape(rows, -1)
                array, before = array.T, None
            yield name, np.ascontiguousarray(array)


def main(weights, network, out):
    with h5py.File(weights) as file:
        found = list(arrays(file['model_weights'] if 'model_weights' in file else file))
    wanted = getattr(torchvision.models, network)(weights=None).state_dict()
    order = [name for name in wanted if not name.endswith('num_batches_tracked')]
    assert len(found) == len(order), f'{len(found)} arrays in {weights}, {len(order)} tensors in {network}'
    for (name, array), to in zip(found, order):
        assert array.shape == tuple(wanted[to].shape), f'{name} is {array.shape}, {to} is {tuple(wanted[to].shape)}'
    save_file({to: array for (_, array), to in zip(found, order)}, out)


if __name__ == '__main__':
    main(*sys.argv[1:])
