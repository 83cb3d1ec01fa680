import systems, torch
from matplotlib import pyplot as plt
from physlearn import metrics

t = torch.linspace(0, 60, 601, dtype=torch.float64)
z0 = torch.tensor([1.0, 0.0], dtype=torch.float64)
truth = systems.get("pendulum").orbit(z0, t)
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
gravities = [1.0, 1.01, 1.02, 1.05, 1.1, 1.2]
forecasts = [systems.get("pendulum", gravity=gravity).orbit(z0, t) for gravity in gravities]
values = torch.stack([metrics.NAME(forecast, truth) for forecast in forecasts])
if values.shape[-1:] == t.shape:
    ax.plot(t, values.T, label=gravities)
    ax.legend(title="assumed gravity")
    ax.set(xlabel="t", ylabel="NAME")
else:
    lines = ax.plot(gravities, values, "o-")
    ax.legend(lines, truth.coordinates) if len(lines) > 1 else None
    ax.set(xlabel="assumed gravity; the true one is 1", ylabel="NAME")
