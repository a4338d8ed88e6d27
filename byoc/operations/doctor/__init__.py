"""``byoc doctor``: whether a stack can be provisioned, and stands as it should. It asks, and changes nothing.

Each area asks AWS in one place (``read_…``) and judges in a pure function (``judge_…``). What AWS does not answer is
*unknown*: never a guess, and never the end of another check.
"""
