import physlearn, systems, torch
from matplotlib import pyplot as plt
from physlearn import metrics

lorenz, t = systems.get("lorenz"), torch.linspace(0, 30, 3001, dtype=torch.float64)
truth = lorenz.orbit(lorenz.sample(1, seed=0), t)[0]
steps = [1, 2, 4, 8, 16]
forecasts = [physlearn.integrate(lorenz, truth.z[0], t, "rk4", substeps=n) for n in steps]
valid = torch.stack([metrics.valid_prediction_time(forecast, truth) for forecast in forecasts])
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
ax.semilogx([0.01 / n for n in steps], metrics.lyapunov_times(valid, torch.tensor(0.906)), "o-")
ax.set(xlabel="step of rk4", ylabel="valid for, in Lyapunov times")
