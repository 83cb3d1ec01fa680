import systems
from matplotlib import pyplot as plt

system = systems.maps.get("NAME")
orbit = system.orbit(system.sample(20, seed=0), 400)
figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
x, y = orbit.z[:, :-1, 0], orbit.z[:, 1:, 0]
if system.dim > 1:
    x, y = orbit.z[..., 0], orbit.z[..., 1]
ax.scatter(x, y, s=1, lw=0, color="C0")
ax.set(xlabel=orbit.coordinates[0], ylabel=[*orbit.coordinates, "its next value"][1])
