# Sourced by the scripts beside it: shows each command, and runs it when --do was said.
# shellcheck shell=bash

doit=''
script=${0##*/}

die() { printf '%s: %s\n' "$script" "$*" >&2; exit 2; }

# The comment at the top of the script.
usage() { # exit code
    sed -n '2,/^[^#]/{/^#/!q;s/^# \{0,1\}//p}' "$0"
    exit "$1"
}

need() { # command: only what is run must be there
    [ -z "$doit" ] || command -v "$1" >/dev/null || die "$1 is not installed"
}

value() { # option arguments...
    [[ $# -ge 2 && -n $2 ]] || die "$1 wants a value"
    printf '%s' "$2"
}

show() {
    local word line=''
    for word in "$@"; do
        case $word in
        '' | *[!A-Za-z0-9_./:=,@%+-]*) line+=" '${word//\'/\'\\\'\'}'" ;;
        *) line+=" $word" ;;
        esac
    done
    printf '%s\n' "${line# }"
}

# Shows a command; runs it when it is meant.
run() {
    show "$@"
    [ -z "$doit" ] || "$@" </dev/null
}

# As run, for a command whose answer is needed: NAME=answer; without --do the answer is its name.
ask() { # name command...
    local name=$1 answer
    shift
    # shellcheck disable=SC2016 # a shell's own syntax, shown
    printf '%s=$(%s)\n' "$name" "$(show "$@")"
    if [ -n "$doit" ]; then
        answer=$("$@" </dev/null)
        [[ -n $answer && $answer != None ]] || die "$1 gave no answer for $name"
    else
        answer="\$$name"
    fi
    printf -v "$name" '%s' "$answer"
}

ended() {
    [ -n "$doit" ] || printf '# nothing was done; --do does it\n'
}
