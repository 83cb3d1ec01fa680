import physlearn, systems, torch
from matplotlib import pyplot as plt
from physlearn import metrics

stars, t = systems.get("henon-heiles"), torch.linspace(0, 200, 401, dtype=torch.float64)
z0 = stars.sample(1, seed=0, energy=0.1)[0]
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
for method in ("rk4", "leapfrog", "yoshida-4"):
    orbit = physlearn.integrate(stars, z0, t, method, substeps=1)
    value = metrics.NAME(orbit, stars)
    ax.plot(t, value, label=method, lw=0.8) if value.ndim else ax.bar(method, abs(value))
ax.legend() if value.ndim else ax.set_yscale("log")
ax.set(xlabel="t" if value.ndim else "", ylabel="NAME")
