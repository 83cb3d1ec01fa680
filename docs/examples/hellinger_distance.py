import torch
from matplotlib import pyplot as plt
from physlearn import metrics

x, shifts = torch.linspace(-6, 10, 401), torch.linspace(0, 4, 41)
normal = torch.softmax(-((x - shifts[:, None]) ** 2) / 2, -1)
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
ax.plot(shifts, metrics.hellinger_distance(normal, normal[0]))
ax.set(xlabel="shift of a normal distribution, in standard deviations", ylabel="distance")
