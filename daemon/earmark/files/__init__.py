"""The ground floor: the only code that opens, hashes, moves, replaces or removes a file of the user's.

Standard library only. A folder is held by descriptor (`opened`), a file is known by its content (`Content`), and every act
looks at what it has in hand before anything is lost.
"""

from earmark.files.access import Access, access_of, for_a_note
from earmark.files.cloud import (
    InCloud,
    evicted_name,
    has_flags,
    in_cloud,
    is_dataless,
    never_download,
    says_in_cloud,
    went_to_cloud,
)
from earmark.files.content import (
    Begin,
    Content,
    NotRegular,
    StillChanging,
    Stopped,
    content_of,
    digest,
    fingerprint,
    may_be_read,
    open_regular,
    read_bytes,
    sha256_of,
)
from earmark.files.copying import is_beginning
from earmark.files.durable import flush_file
from earmark.files.folders import (
    Folder,
    SymlinkInTheWay,
    files_below,
    flush_folder_of,
    make_private,
    names_below,
    opened,
    remove_empty,
)
from earmark.files.handles import what_is_at
from earmark.files.identity import Identity
from earmark.files.listing import Listings, respelled
from earmark.files.locking import Busy, FileLock, has_own_processes, holders, is_locked
from earmark.files.naming import counted, fold, named, pack_path, tails, unpack_path, why
from earmark.files.placing import (
    Moved,
    make_durable,
    move_without_loss,
    name_new,
    overwrite_own,
    put_in_place,
    write_new,
    write_own,
)
from earmark.files.renaming import hidden_kind
from earmark.files.spelling import folds, really, spelled
from earmark.files.taking import (
    OtherContent,
    Step,
    Taken,
    drop_claim,
    put_back,
    quiet,
    recover_hidden,
    remove,
    remove_own,
    take_out,
)
from earmark.files.writers import being_written

__all__ = [
    "Access",
    "Begin",
    "Busy",
    "Content",
    "FileLock",
    "Folder",
    "Identity",
    "InCloud",
    "Listings",
    "Moved",
    "NotRegular",
    "OtherContent",
    "Step",
    "StillChanging",
    "Stopped",
    "SymlinkInTheWay",
    "Taken",
    "access_of",
    "being_written",
    "content_of",
    "counted",
    "digest",
    "drop_claim",
    "evicted_name",
    "files_below",
    "fingerprint",
    "flush_file",
    "flush_folder_of",
    "fold",
    "folds",
    "for_a_note",
    "has_flags",
    "has_own_processes",
    "hidden_kind",
    "holders",
    "in_cloud",
    "is_beginning",
    "is_dataless",
    "is_locked",
    "make_durable",
    "make_private",
    "may_be_read",
    "move_without_loss",
    "name_new",
    "named",
    "names_below",
    "never_download",
    "open_regular",
    "opened",
    "overwrite_own",
    "pack_path",
    "put_back",
    "put_in_place",
    "quiet",
    "read_bytes",
    "really",
    "recover_hidden",
    "remove",
    "remove_empty",
    "remove_own",
    "respelled",
    "says_in_cloud",
    "sha256_of",
    "spelled",
    "tails",
    "take_out",
    "unpack_path",
    "went_to_cloud",
    "what_is_at",
    "why",
    "write_new",
    "write_own",
]  # fmt: skip
