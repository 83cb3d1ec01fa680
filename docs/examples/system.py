import systems, torch
from matplotlib import pyplot as plt
from physlearn import plotting

system = systems.get("NAME")
t = torch.linspace(0, 60, 6001, dtype=torch.float64)
orbit = system.orbit(system.sample(1, seed=0), t)[0]
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), width_ratios=(2, 3))
plotting.phase_portrait(orbit, (0, 1), ax=left, linewidth=0.7)
for i, name in enumerate(orbit.coordinates[:4]):
    right.plot(t, orbit.z[:, i], lw=0.8, label=name)
right.set(xlabel="t")
right.legend(loc="upper right")
figure.tight_layout()
