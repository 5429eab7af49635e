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

# A file that is to be read: only for what is done must it be there, but whoever reads the commands is told.
readable() { # file...
    local file
    for file in "$@"; do
        [ ! -r "$file" ] || continue
        [ -z "$doit" ] || die "$file cannot be read"
        printf '# %s cannot be read here\n' "$file"
    done
}

# Stops where a word is not of its form, and says what is allowed.
formed() { # option word pattern allowed
    [[ $2 =~ ^($3)$ ]] || die "$1 is $4, not '$2'"
}

# A command as a shell reads it.
show() {
    local word line=''
    for word in "$@"; do
        case $word in
        # what a command before it answers: a variable, as `ask` shows it
        *\$[a-z]*) line+=" \"$word\"" ;;
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
