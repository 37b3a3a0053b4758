"""What the macOS profiles say, read by a reader of their language: nobody here has a Mac to put one on."""

from __future__ import annotations

import pytest
from earmark.locality.confinement.macos.profile import (
    Places,
    Profile,
    connecting,
    downloading,
    looking,
    reading,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.macos_profile import SINCE_LATER, Malformed, Thing, decision, parse, read

HOME = "/Users/Ada"
PYTHON = f"{HOME}/.local/share/uv/python/cpython-3.12"
PLACES = Places(
    users=("/Users", "/Volumes", "/Network", "/private/tmp", "/private/var/folders", "/private/var/tmp", "/home/elsewhere"),
    python=(PYTHON, f"{HOME}/earmark/.venv", "/opt/homebrew/Cellar/python@3.12"),
    readable=(f"{HOME}/Recordings", "/Volumes/Stick/Voice", f"{HOME}/Library/Application Support/earmark/models/base"),
)  # fmt: skip
HEARING = reading(PLACES)
PROFILES = {
    "hearing": HEARING,
    "hearing on Intel": reading(PLACES, "x86_64"),
    "summaries": reading(Places(PLACES.users, PLACES.python, (f"{HOME}/Library/Application Support/earmark/templates",))),
    "door": connecting([("127.0.0.1", 1234), ("::1", 1234)]),
    "door to a network": connecting([("10.0.0.7", 8080)]),
    "listener": looking(),
    "download": downloading(Places(PLACES.users, PLACES.python), [f"{HOME}/Library/earmark/models/.partial-base"]),
}  # fmt: skip

A_FILE = Thing("path", f"{HOME}/Recordings/a.m4a")
SELF, OTHERS = Thing("process", "self"), Thing("process", "others")


@pytest.mark.parametrize("newest", [True, False], ids=["knows all", "knows what every macOS knows"])
@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_well_formed_and_names_nothing_unknown_without_asking(name: str, newest: bool) -> None:
    found = read(PROFILES[name], newest)
    assert found.default == "deny"
    assert found.rules


NEVER: list[tuple[str, Thing | None]] = [
    ("network-bind", Thing("tcp", "127.0.0.1:0")),
    ("network-inbound", Thing("tcp", "127.0.0.1:9")),
    ("network-outbound", Thing("path", "/private/var/run/syslog")),
    ("network-outbound", Thing("path", f"{HOME}/.docker/run/docker.sock")),
    ("mach-lookup", Thing("global-name", "com.apple.coreservices.launchservicesd")),
    ("mach-lookup", Thing("global-name", "com.apple.coreservices.appleevents")),
    ("mach-lookup", Thing("global-name", "com.apple.securityd.xpc")),
    ("mach-lookup", Thing("global-name", "com.apple.SecurityServer")),
    ("mach-lookup", Thing("global-name", "com.apple.nsurlsessiond")),
    ("mach-lookup", Thing("global-name", "com.apple.pasteboard.1")),
    ("mach-lookup", Thing("global-name", "com.apple.logd")),
    ("mach-lookup", Thing("xpc-service-name", "com.apple.WebKit.Networking")),
    ("mach-register", Thing("global-name", "net.example.mine")),
    ("mach-priv-task-port", OTHERS),
    ("lsopen", None),
    ("appleevent-send", None),
    ("job-creation", None),
    ("process-exec*", Thing("path", "/usr/bin/true")),
    ("process-exec*", Thing("path", f"{PYTHON}/bin/python3.12")),
    ("process-fork", None),
    ("process-info-pidinfo", OTHERS),
    ("signal", OTHERS),
    ("sysctl-write", Thing("sysctl", "kern.hostname")),
    ("sysctl-read", Thing("sysctl", "kern.procargs2.77")),
    ("iokit-open", None),
    ("iokit-get-properties", None),
    ("device-microphone", None),
    ("nvram-set", None),
    ("ipc-posix-shm-write-data", Thing("ipc", "/mine")),
    ("ipc-posix-shm-write-create", Thing("ipc", "/x__KMP_REGISTERED_LIB_1")),
    ("ipc-posix-sem", Thing("ipc", "/mine")),
    ("ipc-sysv-shm", None),
    ("user-preference-write", None),
    ("authorization-right-obtain", None),
    ("file-ioctl", Thing("path", "/dev/null")),
    ("file-write-data", Thing("path", "/dev/null")),
    ("file-write-create", Thing("path", "/private/tmp/out")),
    ("file-write-xattr", A_FILE),
    ("file-write-unlink", A_FILE),
    ("file-write-times", A_FILE),
    ("file-write-data", A_FILE),
    ("file-read-data", Thing("path", f"{HOME}/Documents/diary.txt")),
    ("file-read-data", Thing("path", f"{HOME}/Recordings2/a.m4a")),
    ("file-read-data", Thing("path", HOME)),
    ("file-read-data", Thing("path", f"/System/Volumes/Data{HOME}/Documents/diary.txt")),
    ("file-read-data", Thing("path", "/Users/bob/notes.txt")),
    ("file-read-data", Thing("path", "/Volumes/Stick/other.txt")),
    ("file-read-data", Thing("path", "/private/var/folders/ab/T/draft.txt")),
    ("file-read-data", Thing("path", "/private/tmp/draft.txt")),
    ("file-read-data", Thing("path", "/home/elsewhere/x")),
    ("file-read-data", Thing("path", "/Library/Application Support/mail.db")),
    ("file-read-data", Thing("path", "/opt/homebrew/var/postgres/base")),
    ("file-read-data", Thing("path", "/private/etc/master.passwd")),
    ("file-read-data", Thing("path", "/private/var/log/system.log")),
    ("file-read-data", Thing("path", "/private/var/mail/ada")),
    ("file-read-data", Thing("path", "/private/var/db/dslocal/nodes/Default/users/ada.plist")),
    ("file-read-xattr", Thing("path", f"{HOME}/Documents/diary.txt")),
    ("file-map-executable", Thing("path", f"{HOME}/Downloads/evil.dylib")),
    ("file-map-executable", Thing("path", f"{HOME}/Recordings/evil.dylib")),
    ("file-map-executable", Thing("path", "/private/tmp/evil.dylib")),
]  # fmt: skip
LATER: list[tuple[str, Thing | None]] = [
    ("darwin-notification-post", None),
    ("necp-client-open", None),
    ("file-link", A_FILE),
    ("file-clone", A_FILE),
    ("system-fcntl", Thing("fcntl", "80")),
    ("system-fcntl", Thing("fcntl", "110")),
    ("syscall-unix", Thing("syscall", "SYS_shmget")),
]


@pytest.mark.shows("macos:walls")
@pytest.mark.shows("privacy:macos-profile")
@pytest.mark.parametrize("name", PROFILES)
def test_no_profile_leaves_services_programs_drivers_shared_memory_or_other_files(name: str) -> None:
    allowed = {(op, thing) for op, thing in NEVER if decision(PROFILES[name], op, thing) == "allow"}
    allowed |= {
        (op, thing)
        for op, thing in NEVER
        if op not in SINCE_LATER and decision(PROFILES[name], op, thing, False) == "allow"
    }
    allowed |= {(op, thing) for op, thing in LATER if not refused_by_name(PROFILES[name], op, thing)}
    assert allowed == set()


def refused_by_name(profile: Profile, operation: str, thing: Thing | None) -> bool:
    """True if a rule refuses it: `(deny default)` leaves some operations open."""
    without = Profile(profile.text.replace("(deny default)", "(allow default)"), profile.parameters)
    return decision(without, operation, thing) == "deny"


@pytest.mark.shows("privacy:macos-profile")
@pytest.mark.parametrize(
    ("operation", "thing"),
    [(op, thing) for op, thing in NEVER if not op.startswith(("file-read", "network-outbound"))] + LATER,
    ids=str,
)
def test_what_must_not_be_done_is_refused_by_a_rule_of_its_own(operation: str, thing: Thing | None) -> None:
    assert refused_by_name(HEARING, operation, thing)


@pytest.mark.shows("privacy:macos-door")
@pytest.mark.parametrize("name", ["hearing", "summaries", "listener", "door", "door to a network"])
def test_only_the_door_connects_and_only_by_tcp_to_its_ports(name: str) -> None:
    profile, here, away = PROFILES[name], Thing("tcp", "127.0.0.1:1234"), Thing("tcp", "10.0.0.7:8080")
    said = [decision(profile, "network-outbound", thing) for thing in (here, Thing("tcp", "::1:1234"), away)]
    assert said == {"door": ["allow", "allow", "deny"], "door to a network": ["deny", "deny", "allow"]}.get(
        name, ["deny"] * 3
    )
    for thing in (
        Thing("udp", "127.0.0.1:1234"),
        Thing("tcp", "127.0.0.1:1235"),
        Thing("tcp", "192.0.2.1:1234"),
    ):
        assert decision(profile, "network-outbound", thing) == "deny"
    dns = [Thing("path", "/private/var/run/mDNSResponder"), Thing("global-name", "com.apple.dnssd.service")]
    assert decision(profile, "network-outbound", dns[0]) == decision(profile, "mach-lookup", dns[1]) == "deny"


@pytest.mark.parametrize("name", ["hearing", "summaries", "download"])
@pytest.mark.parametrize("newest", [True, False])
def test_python_its_packages_and_the_systems_libraries_can_be_loaded(name: str, newest: bool) -> None:
    for path in (
        f"{PYTHON}/lib/python3.12/lib-dynload/_ssl.so", f"{HOME}/earmark/.venv/lib/python3.12/site-packages/av/_core.so",
        f"/System/Volumes/Data{HOME}/earmark/.venv/lib/x.so", "/opt/homebrew/Cellar/python@3.12/3.12.9/lib/x.dylib",
        "/opt/homebrew/opt/openssl@3/lib/libssl.3.dylib", "/usr/lib/libSystem.B.dylib",
        "/System/Library/Frameworks/Accelerate.framework/Versions/A/Accelerate",
        "/System/Library/Frameworks/CoreML.framework/Versions/A/CoreML", "/System/Cryptexes/OS/usr/lib/libz.dylib",
    ):  # fmt: skip
        for operation in ("file-read-data", "file-read-xattr", "file-map-executable"):
            assert decision(PROFILES[name], operation, Thing("path", path), newest) == "allow", path
    for path in (
        "/private/etc/localtime",
        "/usr/share/zoneinfo/Europe/Berlin",
        "/dev/urandom",
        "/",
        "/dev/fd/5",
    ):
        assert decision(PROFILES[name], "file-read-data", Thing("path", path), newest) == "allow", path
    for path in ("/", HOME, "/private/tmp", f"{HOME}/Documents/diary.txt"):
        assert decision(PROFILES[name], "file-read-metadata", Thing("path", path), newest) == "allow"
    for number in (
        "hw.optional.arm.FEAT_DotProd",
        "hw.pagesize_compat",
        "kern.osrelease",
        "machdep.cpu.brand_string",
    ):
        assert decision(PROFILES[name], "sysctl-read", Thing("sysctl", number), newest) == "allow"
    for operation in ("signal", "process-info-pidinfo", "process-info-setcontrol"):
        assert decision(PROFILES[name], operation, SELF, newest) == "allow"


@pytest.mark.shows("privacy:macos-profile")
def test_each_reads_what_it_is_for_and_nothing_of_the_others() -> None:
    for path in (
        A_FILE.name,
        "/Volumes/Stick/Voice/deep/b.wav",
        f"/System/Volumes/Data{A_FILE.name}",
        PLACES.readable[2],
    ):
        assert decision(HEARING, "file-read-data", Thing("path", path)) == "allow"
        assert decision(PROFILES["summaries"], "file-read-data", Thing("path", path)) == "deny"
        assert decision(PROFILES["download"], "file-read-data", Thing("path", path)) == "deny"
    template = Thing("path", f"{HOME}/Library/Application Support/earmark/templates/own.toml")
    assert decision(PROFILES["summaries"], "file-read-data", template) == "allow"
    assert decision(HEARING, "file-read-data", template) == "deny"


def test_what_people_have_is_refused_also_where_the_systems_own_is_read() -> None:
    inside = reading(Places(("/usr/lib/homes",), ("/usr/lib/homes/ada/.venv",), ()))
    wanted = {"/usr/lib/homes/ada/x": "deny", "/usr/lib/x": "allow", "/usr/lib/homes/ada/.venv/x": "allow"}
    for operation in ("file-read-data", "file-map-executable"):
        assert {path: decision(inside, operation, Thing("path", path)) for path in wanted} == wanted


@pytest.mark.shows("privacy:macos-download")
def test_the_download_writes_its_folder_only_may_look_names_up_and_has_certificates_checked() -> None:
    profile, folder = PROFILES["download"], f"{HOME}/Library/earmark/models/.partial-base"
    for operation in ("file-write-create", "file-write-data", "file-write-unlink", "file-read-data"):
        assert decision(profile, operation, Thing("path", f"{folder}/model.bin.part")) == "allow"
        assert (
            decision(profile, operation, Thing("path", f"{HOME}/Library/earmark/models/tiny.en/model.bin"))
            == "deny"
        )
    for thing in (Thing("tcp", "151.101.0.223:443"), Thing("path", "/private/var/run/mDNSResponder")):
        assert decision(profile, "network-outbound", thing) == "allow"
    for service in ("com.apple.dnssd.service", "com.apple.trustd.agent", "com.apple.trustd"):
        asked = Thing("global-name", service)
        may = {name for name in PROFILES if decision(PROFILES[name], "mach-lookup", asked) == "allow"}
        assert may == {"download"}, service


def test_intels_openmp_may_keep_its_own_note_in_shared_memory_and_nothing_else() -> None:
    note = Thing("ipc", "/__KMP_REGISTERED_LIB_4711")
    said = [
        decision(PROFILES[name], "ipc-posix-shm-write-create", note)
        for name in ("hearing", "hearing on Intel")
    ]
    assert said == ["deny", "allow"]


names = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=300
).filter(lambda name: name not in (".", ".."))


@pytest.mark.shows("privacy:macos-parameters")
@given(st.lists(names, min_size=1, max_size=3), names)
def test_no_folders_name_changes_what_a_profile_says(folders: list[str], other: str) -> None:
    """Quotes, brackets, backslashes, newlines, whatever."""
    mine = "/Users/ada/" + "/".join(folders)
    profile = reading(Places(("/Users",), (), (mine,)))
    assert profile.text == reading(Places(("/Users",), (), ("/Users/ada/plain",))).text
    assert decision(profile, "file-read-data", Thing("path", f"{mine}/a.m4a")) == "allow"
    if not mine.startswith(f"/Users/ada/{other}"):
        assert decision(profile, "file-read-data", Thing("path", f"/Users/ada/{other}")) == "deny"
    assert decision(profile, "network-outbound", Thing("tcp", "192.0.2.1:80")) == "deny"


@pytest.mark.parametrize(
    "text",
    ["(version 1)\n(allow default", "(version 1)(allow (subpath \"/x)", "(version 1)(permit file-read*)",
     "(version 2)(deny default)",
     "(version 1)(allow file-reed*)", '(version 1)(allow network-outbound (remote tcp "127.0.0.1:80"))',
     '(version 1)(allow file-read* (subpath "relative"))', "(version 1)(deny system-fcntl (fcntl-command 80)))"],
)  # fmt: skip
def test_the_reader_sees_what_macos_would_not_take(text: str) -> None:
    with pytest.raises(Malformed):
        read(Profile(text), newest=False)


def test_the_reader_tells_of_a_rule_that_depends_on_how_rules_are_read() -> None:
    rules = '(version 1)(allow default)(deny file-read-data (subpath "/x"))(allow file-read* (subpath "/x"))'
    with pytest.raises(AssertionError, match="by the closest"):
        decision(Profile(rules), "file-read-data", Thing("path", "/x/y"))
    assert parse('(a (b "c\\"d") ; e)\n)') == [["a", ["b", 'c"d']]]
