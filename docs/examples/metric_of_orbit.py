import systems, torch
from matplotlib import pyplot as plt
from physlearn import metrics

pendulum, t = systems.get("pendulum"), torch.linspace(0, 100, 1001, dtype=torch.float64)
start = torch.linspace(0.1, 3.0, 30, dtype=torch.float64)
orbits = pendulum.orbit(torch.stack([start, 0 * start], -1), t)
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
ax.plot(start, metrics.NAME(orbits), ".-")
ax.set(xlabel="angle at which a pendulum is released", ylabel="NAME")
