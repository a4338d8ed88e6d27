"""The embedded AWS: moto's server on loopback, behind a gate that enforces IAM as AWS does.

moto answers the AWS calls. The gate before it knows who calls (the SigV4 signature), what they may do (identity
policies, boundaries, trust policies, dependent permissions), records each call, and can inject faults and latency.
Use :class:`~byoc.sandbox.emulator.client.EmulatorClient` to steer one, :mod:`~byoc.sandbox.emulator.process` to run
one in the background, and :class:`~byoc.sandbox.emulator.server.Emulator` to run one in this process.
"""
