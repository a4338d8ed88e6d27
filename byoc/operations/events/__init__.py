"""What happened to a deployment: what ECS, RDS, its alarms and its scaling say, in time and in plain words."""
