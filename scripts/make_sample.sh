#!/bin/sh
# Makes daemon/earmark/sample/sample.m4a, the recording that a first `sh scripts/run` shows.
#
# Speech from flite's own voices (Debian packages `flite` and `ffmpeg`: apt-get install flite ffmpeg), so that no
# person's voice is in the repository. The words are read from sample.txt, one turn a line, "Speaker: words".
# Words and voices were chosen by what Whisper tiny.en understands: it hears "Anna will" as "And we'll", and
# runs sentences into each other when the pause between them is as short as flite makes it.
# After a change run tests/acceptance/test_sample_recording.py.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/../daemon/earmark/sample" && pwd)
for tool in flite ffmpeg; do
    command -v "$tool" >/dev/null ||
        { echo "make_sample: $tool is missing; apt-get install flite ffmpeg" >&2; exit 69; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

silence() { ffmpeg -v error -f lavfi -i anullsrc=r=16000:cl=mono -t "$1" -c:a pcm_s16le "$2"; }
silence 0.2 "$work/breath.wav"
silence 0.4 "$work/turn.wav"

spoken=0
while IFS= read -r line; do
    speaker=${line%%: *}
    case $speaker in
        Maria) voice=slt stretch=0.98 ;;
        Tom) voice=rms stretch=0.92 ;;
        David) voice=awb stretch=1.0 ;;
        *) echo "make_sample: no voice for the speaker '$speaker' in sample.txt" >&2; exit 65 ;;
    esac
    # One flite call a sentence, so that the pause between two is ours.
    printf '%s\n' "${line#*: }" | sed 's/\([.?]\) /\1\
/g' >"$work/sentences"
    while IFS= read -r sentence; do
        spoken=$((spoken + 1))
        wav=$(printf '%s/%02d.wav' "$work" "$spoken")
        flite -voice "$voice" --setf duration_stretch="$stretch" -t "$sentence" -o "$wav"
        printf "file '%s'\nfile '%s/breath.wav'\n" "$wav" "$work" >>"$work/turns"
    done <"$work/sentences"
    printf "file '%s/turn.wav'\n" "$work" >>"$work/turns"
done <"$here/sample.txt"

# A fixed date and bitexact flags: the same words give the same bytes with the same flite and ffmpeg.
ffmpeg -v error -y -f concat -safe 0 -i "$work/turns" \
    -af loudnorm=I=-18:TP=-2 -ar 16000 -ac 1 -c:a aac -b:a 32k \
    -metadata creation_time=2026-03-02T09:30:00Z -metadata title='Planning meeting (sample)' \
    -fflags +bitexact -flags:a +bitexact -movflags +faststart "$work/sample.m4a"
mv "$work/sample.m4a" "$here/sample.m4a"
chmod 644 "$here/sample.m4a"
