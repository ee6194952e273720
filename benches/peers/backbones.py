"""Published networks beside torchvision's on the processor: the same features, and the time for them, in turn.

    python backbones.py parity PROGRAM [NAME …]      # features and logits of random weights
    python backbones.py speed PROGRAM [NAME …]       # medians of nine alternations, batch 1 and 32

PROGRAM is the benchmark `backbones` (`cargo bench --no-run --bench backbones` prints where it lies). Needs torch, torchvision and timm.
"""
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

OTHER = 150, 187
NAMES = ['vgg16', 'vgg19', 'resnet18', 'resnet50', 'inception_v3', 'mobilenet_v2', 'mobilenet_v3_small', 'mobilenet_v3_large',
         'squeezenet1_0', 'squeezenet1_1', 'densenet121', 'vgg11', 'vgg13', 'vgg16_bn', 'resnet34', 'resnet101', 'vit_b_16', 'vit_s_16']


class Program:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.process.stdin.write(' '.join(map(str, words)) + '\n')
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def native(name):
    return 299 if name == 'inception_v3' else 224


def build(name, seed=7):
    torch.manual_seed(seed)
    options = dict(aux_logits=True, transform_input=False, init_weights=True) if name == 'inception_v3' else {}
    if name == 'vit_s_16':
        model = timm.create_model('vit_small_patch16_224')
    else:
        model = getattr(torchvision.models, name)(weights=None, **options)
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() == 1:
                p.add_(0.1 * torch.randn_like(p))
        norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
        if norms:
            momenta = [m.momentum for m in norms]
            for m in norms:
                m.momentum = 1.0
            model.train()
            for m in model.modules():
                if isinstance(m, nn.Dropout):
                    m.eval()
            model(torch.randn(4, 3, native(name), native(name)))
            for m, momentum in zip(norms, momenta):
                m.momentum = momentum
                m.running_mean += 0.2 * m.running_var.sqrt() * torch.randn_like(m.running_mean)
                m.running_var *= 0.7 + 0.7 * torch.rand_like(m.running_var)
    return model.eval()


def last_layer(name, model):
    if name.startswith(('vgg', 'mobilenet', 'squeezenet')):
        return model.classifier[1 if name.startswith('squeezenet') else -1]
    if name.startswith('vit'):
        return model.head if name == 'vit_s_16' else model.heads.head
    return model.classifier if name == 'densenet121' else model.fc


def both(name, model, x):
    seen = []
    hook = last_layer(name, model).register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    with torch.inference_mode():
        logits = model(x)
    hook.remove()
    features = seen[0]
    return (features.mean((2, 3)) if features.dim() == 4 else features), logits


def parity(program, names):
    worst = 0.0
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        for name in names:
            model = build(name)
            save_file({k: v.contiguous() for k, v in model.state_dict().items()}, place / 'w.safetensors')
            for size in [(native(name),) * 2] + [OTHER] * (not name.startswith('vit')):
                x = torch.randn(3, 3, *size)
                x.numpy().astype('<f4').tofile(place / 'x')
                for cut, expected in zip(['-', 'logits'], both(name, model, x)):
                    program.ask('features', name, place / 'w.safetensors', cut, 3, *size, place / 'x', place / 'y')
                    found = np.fromfile(place / 'y', '<f4').reshape(3, -1)
                    error = np.linalg.norm(found - expected.numpy(), axis=1) / np.linalg.norm(expected.numpy(), axis=1)
                    worst = max(worst, error.max())
                    print(f'{name},{size[0]}x{size[1]},{"features" if cut == "-" else cut},{error.max():.1e}', flush=True)
    print(f'worst {worst:.1e}')


def speed(program, names, rounds=9):
    torch.set_num_threads(2)
    print('network,batch,kshot_ms,kshot_low,kshot_high,torch_ms,torch_low,torch_high,ratio')
    for name in names:
        side = native(name)
        models = [build(name), build(name).to(memory_format=torch.channels_last)]
        for batch in (1, 32):
            x = torch.randn(batch, 3, side, side)
            inputs = [x, x.to(memory_format=torch.channels_last)]

            def run(which):
                start = time.perf_counter()
                with torch.inference_mode():
                    models[which](inputs[which])
                return (time.perf_counter() - start) * 1e3

            faster = min((0, 1), key=lambda which: min(run(which) for _ in range(3)))
            program.ask('time', name, batch, side, side)
            ours, theirs = [], []
            for _ in range(rounds):
                ours.append(program.ask('time', name, batch, side, side))
                theirs.append(run(faster))
            a, b = statistics.median(ours), statistics.median(theirs)
            print(f'{name},{batch},{a:.1f},{min(ours):.1f},{max(ours):.1f},{b:.1f},{min(theirs):.1f},{max(theirs):.1f},{b / a:.2f}',
                  flush=True)


if __name__ == '__main__':
    {'parity': parity, 'speed': speed}[sys.argv[1]](Program(sys.argv[2]), sys.argv[3:] or NAMES)
