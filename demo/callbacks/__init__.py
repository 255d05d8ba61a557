"""The services that post forecasts and alerts."""
