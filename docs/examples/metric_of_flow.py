import systems, torch
from matplotlib import pyplot as plt
from physlearn import metrics

t = torch.linspace(0, 60, 601, dtype=torch.float64)
z0 = torch.tensor([1.0, 0.0], dtype=torch.float64)
truth = systems.get("pendulum").orbit(z0, t)
gravities = [0.8, 0.9, 1.0, 1.1, 1.2]
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
wrong = [systems.get("pendulum", gravity=gravity) for gravity in gravities]
ax.plot(gravities, [metrics.NAME(pendulum, truth) for pendulum in wrong], "o-")
ax.set(xlabel="assumed gravity; the true one is 1", ylabel="NAME")
