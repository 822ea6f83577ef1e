#!/bin/bash
# test_userctl_bulk.sh: isms-userctl for many accounts at once, from CSV files, on a root in a temp folder: all lines or
# none, the plan and the question on a terminal (UC05a), passwords by a descriptor alone.
. "${srcdir:-.}/tests/unit/userctl_scene.sh"

run 0 setup --yes
next=$(($(date +%Y) + 2))
csv=$root/people.csv
file() { printf '%s\n' "$@" >"$csv"; }

# ---- add ------------------------------------------------------------------------------------------
file user,kind,until,sponsor,group,display,ticket,owner \
	'carol,employee,,,,"Dam, Carol van",,' \
	"ada,contractor,$next-12-31,carol,web-deploy log-read,\"Ada \"\"A\"\" van Dam\",CR-7," \
	"ben,contractor,$next-06-30,carol,web-deploy,,," \
	"rob,service,$next-06-30,,,,,carol"
before=$(sha256sum "$ldif")
run 0 add --from-csv "$csv" --dry-run; says "dry run"; [ "$before" = "$(sha256sum "$ldif")" ] || wrong "a dry run wrote"
run 0 add --from-csv "$csv" --json --reason "the new team"
json "[(2, 'carol', 1001, 'none', 'done'), (3, 'ada', 1002, 'none', 'done'), (4, 'ben', 1005, 'none', 'done'), (5, 'rob', 1006, 'none', 'done')]" \
	'[(r["line"], r["user"], r["uid"], r["password"], r["result"]) for r in d]'
json "(['web-deploy', 'log-read'], ['web-deploy', 'log-read'], 'Ada \"A\" van Dam', '$((next + 1))-01-01T00:00:00Z', 'carol')" \
	'(d[1]["groups"], d[1]["new_groups"], d[1]["display"], d[1]["not_after"], d[1]["sponsor"])'
says "account created user=ada uid=1002 kind=contractor"; says 'groups="web-deploy log-read"'; says ticket=CR-7; says 'note="the new team"'
[ "$(grep -c '^event: account created' "$root/err")" = 4 ] || wrong "not four events"
has "displayName: Dam, Carol van"; has "memberUid: ben"
run 0 show ada --json; json "[['web-deploy', 'kept'], ['log-read', 'kept']]" '[[g["group"], g["effect"]] for g in d["groups"]]'

# passwords: made and handed out by a descriptor, for people alone
file user,kind,until,owner 'kim,employee,,' 'sam,service,+30d,carol' 'lee,employee,,'
run 0 add --from-csv "$csv" --generate-password --secret-fd 3 3>"$root/generated"
[ "$(cut -d' ' -f1 "$root/generated" | tr '\n' ' ')" = "kim lee " ] && [ "$(grep -cE '^(kim|lee) [a-z2-9A]{20}$' "$root/generated")" = 2 ] || wrong "passwords"
lacks "$(sed -n 's/^kim //p' "$root/generated")"; run 0 show kim --json; json True 'd["password_set"]'
run 0 show sam --json; json False 'd["password_set"]'
file user,kind 'max,employee'
unchanged 2 add --from-csv "$csv" --generate-password; says "--secret-fd"
unchanged 2 add --from-csv "$csv" --generate-password --secret-fd 77; says "open descriptor"
unchanged 2 add --from-csv "$csv" --password-fd 3 3<"$root/password"; says "USER PASSWORD"
# what the command line says holds for every line that does not say otherwise
file user,kind,owner 'max,service,carol' 'mia,,'
run 0 add --from-csv "$csv" --kind contractor --until +30d --sponsor carol --json
json "[('service', 'carol'), ('contractor', 'carol')]" '[(r["kind"], r["sponsor"]) for r in d]'

# ---- one bad line, and nothing is done ------------------------------------------------------------
n=0
bad() { # STATUS TEXT LINE...: every line beside a good one, before and after it
	local want=$1 text=$2
	shift 2
	n=$((n + 1))
	file user,kind,until,sponsor,group,uid,must-change "g$n,employee,,,,," "$@" "h$n,employee,,,,,"
	unchanged "$want" add --from-csv "$csv"; says "people.csv:3: "; says "$text"; says "nothing was changed"
}
bad 1 "already" 'ada,employee,,,,,'
bad 1 'cannot be a user' 'Ada!,employee,,,,,'
bad 1 'already' "g$((n + 1)),employee,,,,,"	# twice in one file
bad 2 "--kind needs one of" 'x,intern,,,,,'
bad 2 "is no time" 'x,contractor,someday,,,,'
bad 1 "past" 'x,contractor,2020-01-01,,,,'
bad 2 "needs an end" 'x,contractor,,,,,'
bad 1 "no such account" 'x,employee,,nobody,,,'
bad 1 "local group" 'x,employee,,,docker,,'
bad 2 "twice" 'x,employee,,,a b a,,'
bad 2 "needs a number" 'x,employee,,,,12x,'
bad 1 "never given twice" 'x,employee,,,,1001,'
bad 2 "must-change: write yes or no" 'x,employee,,,,,perhaps'
bad 2 "USER: a cell is empty" ',employee,,,,,'
bad 2 "more cells than" 'x,employee,,,,,,y'
bad 2 "control characters" $'x,employee,,,,\033[2J,'
bad 2 "control characters" $'x,employee\xff,,,,,'
bad 2 "a quote where none can be" 'x,em"ployee,,,,,'
bad 2 "a quote where none can be" 'x,"employee,,,,,'
bad 2 "something between the quotes" 'x,"employee"x,,,,,'
file user,kind 'ann,employee' 'ada,employee' 'Ben!,employee' 'ann,employee' 'bob,intern'
unchanged 2 add --from-csv "$csv"; says "people.csv:6: --kind needs"
file user,kind 'ann,employee' 'ada,employee' 'Ben!,employee' 'ann,employee'
unchanged 1 add --from-csv "$csv"; says "people.csv:3: "; says "people.csv:4: "; says "people.csv:5: "; says "3 lines are wrong"
for header in user,frobnicate user,kind,kind kind user,password-fd user,secret-fd user,generate-password user,json user,root user,from-csv user,-- 'user,'; do
	file "$header" 'x,y,z'
	unchanged 2 add --from-csv "$csv"; says "people.csv:1: "
done
: >"$csv"; unchanged 2 add --from-csv "$csv"; says "no account stands in it"
file user,kind; unchanged 2 add --from-csv "$csv"; says "no account stands in it"
printf 'user,kind\nx\0y,employee\n' >"$csv"; unchanged 2 add --from-csv "$csv"; says "people.csv:2: a NUL byte"
{ echo user; yes aaaa | head -n 300000; } >"$csv"; unchanged 1 add --from-csv "$csv"; says "more than a MiB"
{ echo user; seq -f 'u%g' 5001; } >"$csv"; unchanged 2 add --from-csv "$csv"; says "more than 5000"
# A pipe whose writer is slow is waited for.
run 0 add --from-csv <(sleep 0.3; printf 'user,kind\n'; sleep 0.3; printf 'zoe,employee\n') --dry-run; says "dry run"; says zoe
unchanged 1 add --from-csv "$root/none.csv"; says "No such file"
unchanged 1 add --from-csv "$root"; says "directory"
unchanged 2 add eve --from-csv "$csv"; says "leave"
unchanged 2 add; says "add needs USER, or --from-csv FILE"
unchanged 2 set-expiry ada; says "set-expiry needs USER WHEN"
unchanged 2 disable; says "disable needs USER"
# what spreadsheets save: a mark before the text, CR LF, blanks, no line end at the end, empty lines
printf '\xef\xbb\xbfuser, kind\r\n\r\n eve , "employee" \r\n,,\r\nfay,employee' >"$csv"
run 0 add --from-csv "$csv" --json; json "['eve', 'fay']" '[r["user"] for r in d]'

# ---- set-expiry, disable --------------------------------------------------------------------------
file user,when,reason "ada,$next-01-31,extended" 'ben,+90d,'
run 0 set-expiry --from-csv "$csv" --reason "all of them" --json
json "[('ada', '$((next + 1))-01-01T00:00:00Z', '$next-02-01T00:00:00Z'), ('ben',)]" '[(r["user"], r["old"], r["new"]) if r["user"] == "ada" else (r["user"],) for r in d]'
says 'note=extended'; says 'note="all of them"'; has "pwdEndTime: ${next}0201000000Z"
file user,when "ada,$next-03-31" 'ben,none'
unchanged 1 set-expiry --from-csv "$csv"; says "people.csv:3: ben: only employees"
file user,when "ada,$next-03-31" 'ben,2020-01-01'
unchanged 1 set-expiry --from-csv "$csv"; says "past"
file user,when "ada,$next-03-31" "nobody,$next-03-31"
unchanged 1 set-expiry --from-csv "$csv"; says "no such account"
file user ada ben
run 0 disable ben
run 0 disable --from-csv "$csv" --reason "the project is over"; says "nothing to do"; says "done"
[ "$(grep -c '^event: account disabled' "$root/err")" = 1 ] || wrong "an event of what was disabled already"
run 0 show ada --json; json disabled 'd["state"]'

# ---- UC05a: 500 at once: the plan, one question, the result of each -------------------------------
{ echo user,kind,until; for i in $(seq 500); do echo "many$i,contractor,+30d"; done; } >"$csv"
run 0 add --from-csv "$csv" --json; json "500" 'len([r for r in d if r["result"] == "done"])'
{ echo user; for i in $(seq 500); do echo "many$i"; done; } >"$csv"
on_terminal() { # ANSWER ARGUMENT...
	TERM=xterm python3 - "$1" "$tool" --root "$root" "${@:2}" >"$root/out" <<-'P'
		import os, pty, sys
		pid, fd = pty.fork()
		if pid == 0:
		    os.execvp(sys.argv[2], sys.argv[2:])
		out = seen = b""
		try:
		    while data := os.read(fd, 65536):
		        out += data
		        seen += data
		        if b"[y/N] " in seen:
		            os.write(fd, sys.argv[1].encode() + b"\n")
		            seen = b""
		except OSError:
		    pass
		status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
		sys.stdout.buffer.write(out + b"ended %d\n" % status)
	P
	: >"$root/err"
}
before=$(sha256sum "$ldif")
on_terminal n disable --from-csv "$csv"; says "many500"; says "planned"; says "500 accounts: disable, and all their sessions end? [y/N]"; says "nothing was changed"; says "ended 1"
[ "$before" = "$(sha256sum "$ldif")" ] || wrong "UC05a: changed without leave"
on_terminal y disable --from-csv "$csv"; says "done"; says "ended 0"; says "of 500 ..."
[ "$(grep -c '^pwdAccountLockedTime: 000001010000Z' "$ldif")" = 502 ] || wrong "UC05a: not all disabled"
[ "$(grep -ac 'event: account disabled user=many' "$root/out")" = 500 ] || wrong "UC05a: not 500 events"

# somebody changes one of them while the question stands: nothing is written
file user,when 'many1,+40d' 'many2,+40d'

TERM=xterm python3 - "$tool" --root "$root" set-expiry --from-csv "$csv" >"$root/out" <<'P'
import os, pty, subprocess, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
out, asked = b"", False
try:
    while data := os.read(fd, 65536):
        out += data
        if b"[y/N] " in out and not asked:
            asked = True
            subprocess.run([sys.argv[1], "--root", sys.argv[3], "set-expiry", "many2", "+20d"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            os.write(fd, b"y\n")
except OSError:
    pass
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.buffer.write(out + b"ended %d\n" % status)
P
says "somebody else changed one of these accounts meanwhile"; says "ended 1"

[ $failed = 0 ] || { echo "$failed of $count runs and their checks failed"; exit 1; }
