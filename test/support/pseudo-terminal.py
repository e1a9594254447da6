# Runs a program on a terminal of its own and plays a script to it: JSON on standard input,
# {"command": [...], "rows": 24, "columns": 80, "steps": [{"expect": "text"}, {"send": "text"},
# {"resize": [rows, columns]}, {"signal": 15, "pid": of another}]}. Prints {"output", "status",
# "missed", "cooked"} as JSON: `missed` is the step that waited in vain, `cooked` whether echo and lines were on at the end.
import fcntl, json, os, pty, select, signal, struct, sys, termios, time

play = json.load(sys.stdin)
stepSeconds = 30


def size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


terminal, slave = pty.openpty()
size(terminal, play.get("rows", 24), play.get("columns", 80))
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for descriptor in range(3):
        os.dup2(slave, descriptor)
    os.close(terminal)
    os.execvp(play["command"][0], play["command"])
output = b""
seen = 0
missed = None


def take(seconds):
    global output
    ready, _, _ = select.select([terminal], [], [], seconds)
    if ready:
        output += os.read(terminal, 65536)
    return bool(ready)


for index, step in enumerate(play["steps"]):
    if "expect" in step:
        wanted = step["expect"].encode()
        end = time.monotonic() + stepSeconds
        while output.find(wanted, seen) < 0 and time.monotonic() < end:
            take(0.2)
        found = output.find(wanted, seen)
        if found < 0:
            missed = index
            break
        seen = found + len(wanted)
    elif "send" in step:
        os.write(terminal, step["send"].encode())
    elif "resize" in step:
        size(terminal, *step["resize"])
        os.kill(child, signal.SIGWINCH)
    else:
        os.kill(step.get("pid", child), step["signal"])

status = None
end = time.monotonic() + stepSeconds
while status is None and time.monotonic() < end:
    take(0.1)
    done, raw = os.waitpid(child, os.WNOHANG)
    if done:
        status = os.waitstatus_to_exitcode(raw)
if status is None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
while take(0):
    pass
flags = termios.tcgetattr(slave)[3]
cooked = bool(flags & termios.ICANON) and bool(flags & termios.ECHO)
text = output.decode(errors="replace")
print(json.dumps({"output": text, "status": status, "missed": missed, "cooked": cooked}))
