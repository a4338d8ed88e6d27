"""What is wrong with a deployment, why, and the way out; what can be mended without risk is mended on request."""
