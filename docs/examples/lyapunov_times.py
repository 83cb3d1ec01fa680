import physlearn, systems, torch
from matplotlib import pyplot as plt
from physlearn import metrics

lorenz, t = systems.get("lorenz"), torch.linspace(0, 30, 3001, dtype=torch.float64)
truth = lorenz.orbit(lorenz.sample(1, seed=0), t)[0]
steps = [1, 2, 4, 8, 16]
valid = []
for n in steps:
    forecast = physlearn.integrate(lorenz, truth.z[0], t, "rk4", substeps=n)
    valid.append(metrics.valid_prediction_time(forecast, truth))
times = metrics.lyapunov_times(torch.stack(valid), torch.tensor(0.906))
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
ax.semilogx([0.01 / n for n in steps], times, "o-")
ax.set(xlabel="step of rk4", ylabel="valid for, in Lyapunov times")
