"""The revisions of a deployment: what they are, how they differ, and back to one of them.

A revision is a registered task definition of the API's family, with the queue's beside it where that is a service of
its own. It pins its image and the versions of its secrets.
"""
