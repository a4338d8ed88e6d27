"""The end of deployments that nobody uses: who is told, who goes, and when."""
