"""What carries out ``byoc up --detach`` and its like: ``python -m byoc.cli.detached_run FOLDER``.

The same as :mod:`byoc.automation.detached`, with the question whether a revision is rolling out, and with a look after
the tracing projects.
"""

from byoc.automation.detached import main
from byoc.operations.langsmith.after_up import projects_are_there
from byoc.operations.revisions.before_up import no_roll_out_under_way

if __name__ == "__main__":
    main(no_roll_out_under_way, projects_are_there)
