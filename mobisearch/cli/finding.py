"""``mobisearch duplicates``: which photos are copies of one another?"""

from __future__ import annotations

import click

from mobisearch.cli import exit_codes
from mobisearch.cli.groups import curve_document, groups_document, print_curve, print_groups
from mobisearch.cli.interrupts import stop_on_signals
from mobisearch.cli.opening import open_warm
from mobisearch.cli.options import common_options, runtime_options
from mobisearch.cli.output import index_option, print_json, print_message
from mobisearch.cli.progress import StagedProgress
from mobisearch.text import printable
from mobisearch.types import DEFAULT_KEEP, DuplicateSettings, RuntimeSettings

_AS_TEXT = "-"


@click.command("duplicates")
@click.argument("folders", nargs=-1, metavar="[FOLDER]...")
@click.option("--within", is_flag=True, help="Only copies in the same FOLDER.")
@click.option("--across", is_flag=True, help="Only groups over several FOLDERs.")
@click.option(
    "--new",
    is_flag=True,
    help="Only photos in FOLDER that the rest of the index has too; those outside are kept.",
)
@click.option(
    "--keep",
    metavar="RULES",
    default=",".join(DEFAULT_KEEP),
    show_default=True,
    help="Which copy is kept: the first rule that tells two apart decides. Also smallest, newest, "
    "lossless, path:FOLDER and format:NAME.",
)
@click.option(
    "--protect",
    multiple=True,
    metavar="FOLDER",
    help="Never move anything in this folder; its photos are kept first. Repeatable.",
)
@click.option(
    "--wrong-groups",
    type=float,
    default=DuplicateSettings().wrong_groups,
    show_default=True,
    metavar="X",
    help="How many wrong groups may be expected in the whole result.",
)
@click.option("--no-similar", is_flag=True, help="Do not tell of similar shots, which are none.")
@click.option("--plan", "plan_path", metavar="FILE", help="Write what would be done: see apply.")
@click.option("--report", "report_path", metavar="FILE.html", help="Write a page to review them.")
@click.option(
    "--link",
    "as_links",
    is_flag=True,
    help="In the plan, let byte-identical copies become hard links, and leave the others.",
)
@click.option(
    "--companions",
    type=click.Choice(("leave", "move")),
    default="leave",
    show_default=True,
    help="Copies with a RAW, film or sidecar that the kept photo lacks: leave them, or move both.",
)
@click.option(
    "--versions",
    type=click.Choice(("leave", "trash")),
    default="leave",
    show_default=True,
    help="Copies with which something would be lost, such as grey, captioned, mirrored or larger "
    "ones: leave them where they are, or put them into the trash too.",
)
@click.option(
    "--explain",
    is_flag=False,
    flag_value=_AS_TEXT,
    metavar="[FILE.png]",
    help="Say what a score means in this library; with =FILE.png, as a plot.",
)
@runtime_options
@common_options
def duplicates_command(
    folders: tuple[str, ...],
    within: bool,
    across: bool,
    new: bool,
    keep: str,
    protect: tuple[str, ...],
    wrong_groups: float,
    no_similar: bool,
    plan_path: str | None,
    report_path: str | None,
    as_links: bool,
    companions: str,
    versions: str,
    explain: str | None,
    runtime_settings: RuntimeSettings,
    index_path: str,
    as_json: bool,
) -> int:
    """Find photos that are copies of one another, and say which to keep.

    Copies are found when they are rescaled, recompressed, rotated, mirrored, cropped, recoloured or
    written on, too. Each has a verdict and a reason. Without a FOLDER, the whole index is looked
    at. Nothing is changed: --plan and --report write files that 'mobisearch apply' carries out.
    What is none: 'mobisearch decide different IMAGE...'. Exit code 1: images could not be read, or
    a folder of the index is not available; of its files a plan moves none.
    """
    from mobisearch.arguments import real_path
    from mobisearch.cleanup import (
        DraftSettings,
        absent_folders,
        check_not_carried_out,
        check_plan_path,
        draft_plan,
        foresee_plan,
        leave_absent,
        outlook_of,
        write_plan,
    )
    from mobisearch.duplicates import parse_rules

    scope = _scope(within=within, across=across, new=new)
    if explain is not None and explain != _AS_TEXT and not explain.lower().endswith(".png"):
        raise click.UsageError(f"--explain={explain}: a plot must end in .png; name folders first")
    rules = tuple(rule.strip() for rule in keep.split(","))
    parse_rules(rules)  # before the work, not after it
    settings = DuplicateSettings(
        wrong_groups=wrong_groups,
        keep=rules,
        protect=protect,
        folders=folders,
        scope=scope,
        similar=not no_similar,
    )
    if plan_path is not None:
        check_plan_path(plan_path)
    if report_path is not None:
        from mobisearch.reports import check_review_path

        check_review_path(report_path)
    if explain is not None and explain != _AS_TEXT:
        from mobisearch.reports import check_plot_path

        check_plot_path(explain)
    with (
        open_warm(index_path, runtime_settings) as index,
        stop_on_signals("stopping; what was found out is kept") as stop,
        StagedProgress() as bar,
    ):
        if plan_path is not None:
            check_not_carried_out(index, plan_path)
        found = index.duplicates(settings, on_progress=bar, stop=stop)
        decisions, outgrown = index.decisions(), index.outgrown_decisions()
        looked_at = () if scope == "new" else tuple(map(real_path, folders))
        unavailable = absent_folders(index, looked_at)
    draft = DraftSettings(
        action="link" if as_links else "trash",
        protect=tuple(map(real_path, protect)),
        moves_companions=companions == "move",
        moves_versions=versions == "trash",
    )
    absent = [folder.path for folder in unavailable]
    if plan_path or report_path:
        plan = draft_plan(found, draft, decisions=decisions, outgrown=outgrown)
        plan = leave_absent(plan, absent)
        outlook = outlook_of(plan)
    else:
        plan = None
        outlook = foresee_plan(found, draft, decisions=decisions, outgrown=outgrown, absent=absent)
    if as_json:
        document = groups_document(found, outlook)
        document["unavailable"] = [printable(str(folder)) for folder in unavailable]
        if explain is not None:
            document["curve"] = curve_document(found.curve)
        print_json(document)
    else:
        print_groups(found, outlook)
        if explain == _AS_TEXT:
            print_curve(found.curve)
    for folder in unavailable:
        print_message(f"not available: {folder}")
    for warning in found.warnings:
        print_message(f"note: {warning}")
    if found.interrupted:
        print_message("mobisearch: interrupted; what was found out is kept, run it again to go on")
        return exit_codes.INTERRUPTED
    if plan is not None and plan_path is not None:
        write_plan(plan_path, plan)
        command = f"mobisearch apply{index_option(index_path)} {plan_path}"
        print_message(f"plan: {plan_path}; see what it would do with: {command}")
    if plan is not None and report_path is not None:
        from mobisearch.reports import write_review

        write_review(report_path, list(found), plan)
        print_message(f"page to review the groups in: {report_path}")
    if explain is not None and explain != _AS_TEXT:
        from mobisearch.reports import write_plot

        write_plot(explain, found.curve)
        print_message(f"what a score means in this library: {explain}")
    for failure in found.failures[:10]:
        print_message(f"could not be read now: {failure.path}: {failure.reason}")
    return exit_codes.SOME_FAILED if found.failures or unavailable else exit_codes.OK


def _scope(**given: bool) -> str:
    """Return the name of the scope that is asked for."""
    names = [name for name, is_given in given.items() if is_given]
    if len(names) > 1:
        options = " and ".join(f"--{name}" for name in names)
        raise click.UsageError(f"{options} exclude one another: choose one of them")
    return names[0] if names else "all"
