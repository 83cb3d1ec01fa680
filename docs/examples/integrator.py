import physlearn, systems, torch
from matplotlib import pyplot as plt
from physlearn import metrics, plotting

pendulum = systems.get("pendulum")
z0 = torch.tensor([2.0, 0.0], dtype=torch.float64)
t = torch.linspace(0, 60, 301, dtype=torch.float64)
orbit = physlearn.integrate(pendulum, z0, t, method="NAME", substeps=1)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), width_ratios=(1, 2))
plotting.phase_portrait(orbit, ax=left)
right.plot(t, metrics.energy_deviation(orbit, pendulum))
right.set(xlabel="t", ylabel="relative energy error")
figure.tight_layout()
