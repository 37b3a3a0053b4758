#!/bin/sh
# Makes tests/fixtures/four_languages.opus, a meeting that goes through English, Spanish, German and French, and french.opus,
# its last part alone; and names.opus, a sentence with a name that no small model knows how to spell.
#
# Speech from espeak-ng's own voices (Debian packages `espeak-ng` and `ffmpeg`), so that no person's voice is in the
# repository. What is said in which language is in four_languages.txt, "code: words", a line each.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/../tests/fixtures" && pwd)
for tool in espeak-ng ffmpeg; do
    command -v "$tool" >/dev/null ||
        { echo "make_languages: $tool is missing; apt-get install espeak-ng ffmpeg" >&2; exit 69; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ffmpeg -v error -f lavfi -i anullsrc=r=22050:cl=mono -t 0.7 -c:a pcm_s16le "$work/pause.wav"
number=0
while IFS= read -r line; do
    number=$((number + 1))
    espeak-ng -v "${line%%: *}" -s 140 -w "$work/$number.wav" "${line#*: }"
    printf "file '%s/%s.wav'\nfile '%s/pause.wav'\n" "$work" "$number" "$work" >>"$work/turns"
done <"$here/four_languages.txt"
encode() {
    name=$1
    shift
    ffmpeg -v error -y "$@" -ar 16000 -ac 1 -c:a libopus -b:a 24k -fflags +bitexact -flags:a +bitexact "$work/$name"
    mv "$work/$name" "$here/$name"
    chmod 644 "$here/$name"
}
encode four_languages.opus -f concat -safe 0 -i "$work/turns"
encode french.opus -i "$work/$number.wav"

espeak-ng -v en-us -s 140 -w "$work/names.wav" 'Yesterday I had lunch with Annika Lindqvist, and she told me about the new office.'
encode names.opus -i "$work/names.wav"
