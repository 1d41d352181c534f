#!/usr/bin/env bash
# Makes the shipped prompts and the waiting music: espeak-ng speaks, sox turns it into 8 kHz A-law WAV.
# The results are committed, so only a change of modules/voice/sound/texts.tsv needs this again.
set -euo pipefail
cd "$(dirname "$0")/../modules/voice/sound"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

speak() { # language voice code text
  mkdir -p "$1"
  espeak-ng -v "$2" -s "$5" -w "$work/say.wav" -- "$4"
  sox "$work/say.wav" -r 8000 -c 1 -e a-law "$1/$3.wav" highpass 200 lowpass 3600 norm -6 pad 0.1 0.2
}

tail -n +2 texts.tsv | while IFS=$'\t' read -r code zh yue en; do
  speak zh cmn "$code" "$zh" 170
  speak yue yue "$code" "$yue" 170
  speak en en-gb "$code" "$en" 160
done
for digit in 0 1 2 3 4 5 6 7 8 9; do
  speak zh cmn "digit_$digit" "$digit" 150
  speak yue yue "digit_$digit" "$digit" 150
  speak en en-gb "digit_$digit" "$digit" 140
done
for number in $(seq 0 20) 30 40 50 60 70 80 90; do
  speak zh cmn "number_$number" "$number" 160
  speak yue yue "number_$number" "$number" 160
  speak en en-gb "number_$number" "$number" 150
done

# A calm pentatonic loop of plucked strings: half a minute, quiet, nothing sudden.
notes=(C4 G4 A4 E4 D4 G4 C5 A4 G4 E4 D4 C4 E4 G4 A4 C5 A4 G4 E4 D4)
parts=()
for i in "${!notes[@]}"; do
  sox -q -n -r 8000 -c 1 "$work/note$i.wav" synth 1.5 pluck "${notes[$i]}" fade 0.02 1.5 0.4 gain -9
  parts+=("$work/note$i.wav")
done
sox -q "${parts[@]}" "$work/music.wav" reverb 30
sox -q "$work/music.wav" -r 8000 -c 1 -e a-law music.wav norm -14
# The tone after which a message is recorded.
sox -q -n -r 8000 -c 1 -e a-law beep.wav synth 0.4 sine 1000 gain -12 pad 0.1 0.1
