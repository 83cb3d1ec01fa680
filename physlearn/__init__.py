"""What learns and forecasts."""
