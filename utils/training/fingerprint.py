"""What a value does, as a short text: two values with the same fingerprint compute the same.

A compiled training step may serve again only where everything that went into it is the same. Names do not tell: a loss
edited and defined again keeps its name, and a function made in a loop differs in what it closes over. So functions and
classes count with their code, and with what that code reads.
"""

import dis
import functools
import hashlib
import importlib.util
import sys
import types
from collections.abc import Callable, Iterator

import numpy as np

# What a class or a module holds that says nothing about what it computes, or is not the same from run to run.
_INCIDENTAL = {
    *("__dict__", "__weakref__", "__doc__", "__module__", "__annotations__", "__abstractmethods__", "_abc_impl"),
    *("__firstlineno__", "__static_attributes__", "__annotate__", "__annotate_func__", "__annotations_cache__"),
    *("__slotnames__", "__classcell__", "__conditional_annotations__"),
}
_READS_ANYTHING = {"eval", "exec", "globals", "locals", "vars", "__import__"}


class CannotTell(Exception):
    """It cannot be told what the value does; the message names it."""


class Fingerprint:
    """Tells values by what they do.

    Functions and classes of installed libraries count as themselves; others, those of a notebook among them, count
    with their code, defaults, closures, attributes and the globals they read. Objects count with their class and their
    attributes, arrays with every number.

    Args:
        special: asked first about every value: a fingerprint, or None where the general rules are to decide. It is
            given the value and :meth:`of`.

    Attributes:
        custom: the functions and classes met that belong to no library, by name.
    """

    def __init__(self, special: Callable[[object, Callable], str | None] = lambda value, of: None) -> None:
        self.custom = {}
        self._special = special
        self._looks = 0
        self._path = []  # the values being looked at, from the outermost in
        self._known = {}  # id: the value, kept so that no other gets its id, and its fingerprint
        self._back = []  # for each value of the path: how far out something inside it refers

    def of(self, value) -> str:
        """The fingerprint of a value.

        Raises:
            CannotTell: it is, or holds, something whose doings are hidden, such as a random generator.
        """
        if value is None or value is ... or type(value) in (bool, int, float, complex, str, bytes):
            return _digest("plain", type(value).__name__, repr(value))
        if id(value) in self._known:
            return self._known[id(value)][1]
        return self._within(value, lambda: self._special(value, self.of) or self._general(value))

    def _within(self, value, look: Callable[[], str]) -> str:
        """What ``look`` finds, unless the value is being looked at already: a class that its own methods name."""
        for depth, outer in enumerate(self._path):
            if outer is value:
                self._back = [min(back, depth) for back in self._back]
                return _digest("outer", len(self._path) - depth)
        depth = len(self._path)
        self._looks += 1
        if depth > 200 or self._looks > 20_000:
            raise CannotTell("too much hangs together")
        self._path.append(value)
        self._back.append(depth)
        try:
            found = look()
        finally:
            self._path.pop()
            back = self._back.pop()
        if back >= depth and not isinstance(value, types.ModuleType):  # nothing in it refers to what lies around it
            self._known[id(value)] = (value, found)
        return found

    def _general(self, value) -> str:
        kind = type(value)
        if isinstance(value, types.ModuleType):
            if _is_library(value.__name__):
                return _digest("module", value.__name__)
            raise CannotTell(f"the module {value.__name__}")
        if isinstance(value, np.ndarray) and kind is np.ndarray and not value.dtype.hasobject:
            return _digest("array", str(value.dtype), value.shape, hashlib.blake2b(value.tobytes()).hexdigest())
        if isinstance(value, np.generic):
            return _digest("number", str(value.dtype), value.tobytes())
        if isinstance(value, np.ufunc):
            return _digest("ufunc", value.__name__)
        if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType) and _is_of_library(value):
            return _digest("library", value.__module__ or "", value.__qualname__, _kept(value))
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, types.CodeType):
            return self._code(value)
        if isinstance(value, types.MethodType):
            return _digest("method", self.of(value.__func__), self.of(value.__self__))
        if isinstance(value, staticmethod | classmethod):
            return _digest(kind.__name__, self.of(value.__func__))
        if isinstance(value, property):
            return _digest("property", *map(self.of, (value.fget, value.fset, value.fdel)))
        if kind is functools.partial:
            return _digest("partial", *map(self.of, (value.func, value.args, value.keywords, value.__dict__)))
        if isinstance(value, types.MappingProxyType):
            return _digest("mapping", self.of(dict(value)))
        if isinstance(value, dict):
            items = [(self.of(key), self.of(entry)) for key, entry in value.items()]
            return _digest("dict", *self._beyond(value, dict), items)
        if isinstance(value, list | tuple):
            return _digest("list", *self._beyond(value, list, tuple), [self.of(entry) for entry in value])
        if isinstance(value, set | frozenset):
            return _digest("set", *self._beyond(value, set, frozenset), sorted(self.of(entry) for entry in value))
        return _digest("object", *self._object(value))

    def _beyond(self, value, *plain: type) -> tuple:
        """What a container has besides its entries."""
        kind = type(value)
        if kind in plain or _is_of_library(kind):
            if kind.__name__ == "defaultdict":
                raise CannotTell("a defaultdict")
            return (kind.__name__,)
        return tuple(self._object(value, *plain))

    def _object(self, value, *allowed: type) -> Iterator[str]:
        """Class and attributes of an object made in Python."""
        kind = type(value)
        for each in kind.__mro__[:-1]:
            if each not in (*allowed, types.SimpleNamespace) and _is_compiled(each):
                raise CannotTell(f"a {kind.__name__}")
        slots = [name for each in kind.__mro__ for name in _slots(each) if hasattr(value, name)]
        if not hasattr(value, "__dict__") and not slots and not allowed:
            raise CannotTell(f"a {kind.__name__}")
        yield self.of(kind)
        for name, entry in sorted({**{name: getattr(value, name) for name in slots}, **vars(value)}.items()):
            yield name
            yield self.of(entry)

    def _function(self, function: types.FunctionType) -> str:
        if len(self._path) < 2 or not isinstance(self._path[-2], type):  # no method
            self.custom[function.__name__] = function
        try:
            cells = [cell.cell_contents for cell in function.__closure__ or ()]
        except ValueError:
            raise CannotTell(f"{function.__qualname__} closes over a name without a value") from None
        parts = (function.__defaults__, function.__kwdefaults__, cells, vars(function))
        return _digest("function", self._code(function.__code__), *map(self.of, parts), *self._globals(function))

    def _globals(self, function: types.FunctionType) -> Iterator[str]:
        names, imported, attributes = _reads(function.__code__)
        built_in = function.__globals__.get("__builtins__", {})
        built_in = vars(built_in) if isinstance(built_in, types.ModuleType) else built_in
        for name in names:
            yield name
            if name in function.__globals__:
                value = function.__globals__[name]
                if isinstance(value, types.ModuleType):
                    yield self._module(value, attributes)
                else:
                    yield self.of(value)
            elif name in _READS_ANYTHING:
                raise CannotTell(f"{function.__qualname__} uses {name}()")
            else:
                yield "built-in" if name in built_in else "missing"
        for name in imported:
            yield name
            if name in sys.modules:
                yield self._module(sys.modules[name], attributes)
            elif not _is_library(name.lstrip(".")):
                raise CannotTell(f"{function.__qualname__} imports {name}")

    def _module(self, module: types.ModuleType, attributes: frozenset[str]) -> str:
        """A module as far as code reads it that uses these names of attributes."""
        if _is_library(module.__name__):
            return _digest("module", module.__name__)
        return self._within(module, lambda: _digest("module", module.__name__, list(self._read(module, attributes))))

    def _read(self, module: types.ModuleType, attributes: frozenset[str]) -> Iterator[str]:
        for name in sorted(attributes & vars(module).keys()):
            value = vars(module)[name]
            yield name
            yield self._module(value, attributes) if isinstance(value, types.ModuleType) else self.of(value)

    def _class(self, kind: type) -> str:
        self.custom[kind.__name__] = kind
        bases = [self.of(base) for base in (type(kind), *kind.__bases__)]
        members = [
            (name, self.of(member))
            for name, member in sorted(vars(kind).items())
            if name not in _INCIDENTAL and not isinstance(member, types.MemberDescriptorType)  # of __slots__
        ]
        return _digest("class", kind.__qualname__, bases, members)

    def _code(self, code: types.CodeType) -> str:
        """Code without its file and line numbers."""
        consts = [self.of(const) for const in code.co_consts]
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        return _digest("code", code.co_code, getattr(code, "co_exceptiontable", b""), counts, names, consts)


def _digest(*parts) -> str:
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


_library = {}


def _kept(value) -> int:
    """The identity of something of a library; kept, so that nothing else can take its place in memory."""
    _library[id(value)] = value
    return id(value)


def _is_of_library(value) -> bool:
    """Whether a function or class is what an installed library has under its name."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", "<locals>")
    if isinstance(value, types.BuiltinFunctionType) and not isinstance(value.__self__, types.ModuleType | None):
        return False
    module = module or getattr(getattr(value, "__self__", None), "__name__", None)
    if not isinstance(module, str) or not _is_library(module):
        return False
    found = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is value


@functools.cache
def _is_library(module: str) -> bool:
    """Whether a module was installed, and is not somebody's own that may be edited."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top in sys.builtin_module_names:
        return True
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):  # ValueError: a module without a specification, such as a script's __main__
        return False
    places = [spec.origin or "", *(spec.submodule_search_locations or [])] if spec else []
    return any(part in place for place in places for part in ("site-packages", "dist-packages"))


@functools.lru_cache(maxsize=4096)
def _reads(code: types.CodeType) -> tuple[tuple[str, ...], tuple[str, ...], frozenset[str]]:
    """Names of the globals, of the modules and of the attributes that code reads, in its inner functions too."""
    names, imported, attributes = set(), set(), set()
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
            names.add(step.argval)
        elif step.opname == "IMPORT_NAME":
            imported.add(step.argval)
        elif step.opname.startswith(("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM")):
            attributes.add(step.argval)
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            inner = _reads(const)
            names |= set(inner[0])
            imported |= set(inner[1])
            attributes |= inner[2]
    return tuple(sorted(names)), tuple(sorted(imported)), frozenset(attributes)


def _is_compiled(kind: type) -> bool:
    """Whether a class was written in C; what its objects hold cannot be seen from here."""
    made_in_python = kind.__flags__ & (1 << 9)
    starts = (kind.__dict__.get("__new__"), kind.__dict__.get("__init__"))
    return not made_in_python or any(
        isinstance(s, types.BuiltinFunctionType | types.WrapperDescriptorType) for s in starts
    )


def _slots(kind: type) -> list[str]:
    slots = kind.__dict__.get("__slots__", ())
    return [name for name in ([slots] if isinstance(slots, str) else slots) if name not in ("__dict__", "__weakref__")]
