"""Completion in bash, zsh and fish: asked as the shells ask."""
import re

from harness import *


def need(shell):
    if not shutil.which(shell):
        raise Skip(f'{shell} is not installed')


def run(*args, **more):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=60, **more)


def precisions():
    """As the help lists them."""
    return set(re.search(r'--precision (\S+)', dain('--help').stdout).group(1).split('|'))


def bash(work, *words):
    """What bash offers for the last word."""
    (work / 'script').write_text(dain('--completion', 'bash').stdout)
    array = ' '.join(f"'{w}'" for w in words)
    out = run('bash', '--norc', '-c', f'. {work}/script; COMP_WORDS=({array}); COMP_CWORD={len(words) - 1}; '
              '_dain "$0" && printf "%s\\n" "${COMPREPLY[@]}"', DAIN, cwd=work)
    equal(out.stderr, '', 'standard error of bash')
    return set(out.stdout.split())


@test('every option is in every script')
def _(work):
    options = set(re.findall(r'^ .*?--([a-z-]+)', dain('--help').stdout, re.M))
    check({'factor', 'fps', 'batch', 'help'} <= options, options)
    for shell, form in (('bash', '--{} '), ('zsh', '--{}['), ('fish', '-l {} ')):
        text = dain('--completion', shell).stdout.replace("'", ' ')
        for o in options:
            check(form.format(o) in text, f'{o} is not in {shell}')
    one_line(dain('--completion', 'tcsh', code=2), 'bash, zsh or fish')
    one_line(dain('--completion', code=2), 'bash, zsh or fish')


@test('bash: options, their values, commands, files, models')
def _(work):
    need('bash')
    (work / 'fa.mp4').write_text('')
    (work / 'clip.mp4').write_text('')
    equal(bash(work, 'dain', '--fac'), {'--factor'}, '--fa')
    equal(bash(work, 'dain', 'clip.mp4', '--precision', ''), precisions(), '--precision')
    equal(bash(work, 'dain', '--progress', 'j'), {'json'}, '--progress j')
    equal(bash(work, 'dain', '-c', 'libx'), {'libx264', 'libx265'}, '-c libx')
    equal(bash(work, 'dain', 'cl'), {'clip.mp4'}, 'a file')
    equal(bash(work, 'dain', 'ev'), {'eval'}, 'a command')
    equal(bash(work, 'dain', 'info', '--js'), {'--json'}, 'an option of info')
    equal(bash(work, 'dain', 'info', '--fac'), set(), 'an option that info has not')
    equal(bash(work, 'dain', '--model', 'edg'), set(n for n in dain('info', '--list').stdout.split()
                                                    if n.startswith('edg')), 'a model')
    equal(bash(work, 'dain', '--crf', 'f'), set(), 'a number')
    equal(bash(work, 'dain', '--no-scene', 'cl'), {'clip.mp4'}, 'a file after a flag')
    equal(bash(work, 'dain', '--completion', 'f'), {'fish'}, 'a shell')
    equal(run('bash', '-n', work / 'script').returncode, 0, 'bash -n')


@test('zsh: the script is taken, and knows values')
def _(work):
    need('zsh')
    (work / '_dain').write_text(dain('--completion', 'zsh').stdout)
    equal(run('zsh', '-n', work / '_dain').stderr, '', 'zsh -n')
    (work / 'a.mp4').write_text('')
    # A real shell on a terminal of its own, with the tab key pressed.
    script = f"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; PROMPT_EOL_MARK=; fpath=({work} $fpath); autoload -U compinit; compinit -u -D; cd {work}; print ready'
zpty -r shell line '*ready*ready*' >/dev/null
zpty -w -n shell $'dain a.mp4 --precision b\\t'
for i in {{1..100}}; do
    while zpty -r -t shell chunk; do line+=$chunk; done
    [[ $line == *bf16* ]] && break
    sleep 0.2
done
print -r -- $line
"""
    out = run('zsh', '-f', '-c', script).stdout
    check('--precision bf16' in out, out)


@test('fish: options, their values, commands')
def _(work):
    need('fish')
    (work / 'dain.fish').write_text(dain('--completion', 'fish').stdout)
    equal(run('fish', '--no-execute', work / 'dain.fish').stderr, '', 'fish --no-execute')
    env = {**os.environ, 'HOME': str(work), 'PATH': f'{os.path.dirname(DAIN)}:{os.environ["PATH"]}'}

    def fish(line):
        out = run('fish', '--no-config', '-c', f'source {work}/dain.fish; complete -C "{line}"', env=env, cwd=work)
        equal(out.stderr, '', 'standard error of fish')
        return {word.split('\t')[0] for word in out.stdout.splitlines()}
    equal(fish('dain --fac'), {'--factor'}, '--fac')
    equal(fish('dain --precision '), precisions(), '--precision')
    check('eval' in fish('dain ev'), 'a command')
    equal(fish('dain info --js'), {'--json'}, 'an option of info')
    check('edge' in fish('dain --model ed'), 'a model')


main()
