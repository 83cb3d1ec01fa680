import physlearn, systems, torch
from physlearn import plotting

pendulum, t = systems.get("pendulum"), torch.linspace(0, 20, 101, dtype=torch.float64)
train = pendulum.orbit(pendulum.sample(10, seed=0), t)
f = physlearn.Forecaster("NAME", hidden=(16,), seed=0)
f.fit(train, epochs=50, progress=False)
truth = pendulum.orbit(pendulum.sample(1, seed=1), t)
forecast = f.forecast(truth.z[:, 0], t)
plotting.forecast_plot(truth, {"NAME": forecast}, pendulum)
