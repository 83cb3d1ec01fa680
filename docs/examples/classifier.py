import torch
from matplotlib import pyplot as plt
from physlearn import models

generator = torch.Generator().manual_seed(0)
points = torch.randn(400, 2, generator=generator)
labels = (points[:, 0] * points[:, 1] > 0).long()
network = models.CLASS(2, 2, hidden=(16,), generator=generator)
optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
for _ in range(200):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(network(points), labels).backward()
    optimizer.step()
figure, ax = plt.subplots(figsize=(4.5, 4), layout="constrained")
grid = torch.linspace(-3, 3, 121)
x, y = torch.meshgrid(grid, grid, indexing="xy")
with torch.no_grad():
    probability = network(torch.stack([x, y], -1).reshape(-1, 2)).softmax(-1)[:, 1]
filled = ax.contourf(x, y, probability.reshape(x.shape), levels=20, cmap="RdBu")
figure.colorbar(filled, label="probability of the second class")
ax.scatter(*points.T, c=labels, s=4, cmap="gray")
ax.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
