import systems, torch
from matplotlib import pyplot as plt
from physlearn import metrics

lorenz, t = systems.get("lorenz"), torch.linspace(0, 60, 601, dtype=torch.float64)
thresholds = [1e-6, 1e-4, 1e-2]
z0 = lorenz.sample(1, seed=0)[0]
horizons = [metrics.truth_horizon(lorenz, z0, t, threshold=one) for one in thresholds]
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
ax.semilogx(thresholds, horizons, "o-")
ax.set(xlabel="tolerated disagreement", ylabel="the truth is known up to t")
