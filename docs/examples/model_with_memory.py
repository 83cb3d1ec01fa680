import physlearn, systems, torch
from physlearn import plotting


def x_of(orbits):
    return systems.Orbit(orbits.t, orbits.z[..., :1], coordinates=("x",))


lorenz, t = systems.get("lorenz"), torch.arange(5000, dtype=torch.float64) * 0.02
measured = x_of(lorenz.orbit(lorenz.sample(1, seed=0), t)[0])
f = physlearn.Forecaster("NAME", seed=0).fit(measured, progress=False)
truth = x_of(lorenz.orbit(lorenz.sample(1, seed=1), t[:500]))
past, rest = truth[..., :200], truth[..., 199:]
plotting.forecast_plot(rest, {"NAME": f.forecast(past, rest.t)})
