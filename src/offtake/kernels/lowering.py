"""How numba writes a kernel's values down for LLVM: each where it is made, and tuples of arrays in their pieces.

Numba gives every variable that lives beyond one basic block a place on the stack, fills it with zeros where it ends, and loads it whole
where it is used. A stage is handed tuples of some thirty arrays of seven numbers each, and asks for one of them a hundred times: most of
what LLVM then reads is the moving of tuples, which it takes out again. Here a variable that is set once, before all that reads it, is the
value itself; a piece of a tuple is what was put in; and tuples that nobody reads whole are not written.

Neither moves a bit: what is computed is the same, in the same order. A numba whose insides look otherwise keeps to its own way.
"""

import numba
from llvmlite import ir as llvm
from llvmlite.ir.instructions import ExtractValue, InsertValue
from numba.core import ir, typed_passes
from numba.core.analysis import compute_cfg_from_blocks, compute_use_defs, must_use_alloca
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.environment import lookup_environment
from numba.core.lowering import Lower

from .loaded import TRIED

ENVIRONMENT = "_ZN08NumbaEnv"  # how numba's names of a function's Python side begin
NEEDED = ("_find_singly_assigned_variable", "setup_function", "lower_assign", "delvar", "post_lower", "_disable_sroa_like_opt")
AS_VALUES = (
    numba.__version__.startswith(TRIED)
    and all(hasattr(Lower, name) for name in NEEDED)
    and all(hasattr(typed_passes, name) for name in ("BaseNativeLowering", "NativeLowering"))
    and hasattr(PassManager("as built"), "passes")
)  # whether numba is built as this file expects


class Folding(llvm.IRBuilder):  # type: ignore[misc]  # llvmlite is untyped
    """A builder that knows what was put into a tuple."""

    def extract_value(self, agg, idx, name=""):
        """The piece that was put in at `idx`, else an instruction that asks for it."""
        at = tuple(idx) if isinstance(idx, (tuple, list)) else (idx,)
        made = agg
        while isinstance(made, InsertValue) and len(at) == 1:
            if tuple(made.indices) == at:
                return made.operands[1]
            if made.indices[0] == at[0]:
                break
            made = made.operands[0]
        return super().extract_value(agg, idx, name)


def read_by(instruction):
    """The values that an instruction reads."""
    return [*instruction.operands, *(value for value, _ in getattr(instruction, "incomings", ()))]


def drop_unread(function):
    """Take out tuples that are put together, or taken apart, for nobody."""
    reads = {}
    for block in function.blocks:
        for instruction in block.instructions:
            for value in read_by(instruction):
                reads[id(value)] = reads.get(id(value), 0) + 1
    kinds = (InsertValue, ExtractValue)
    todo = [i for block in function.blocks for i in block.instructions if isinstance(i, kinds) and not reads.get(id(i))]
    gone = set()
    while todo:
        instruction = todo.pop()
        gone.add(id(instruction))
        for value in instruction.operands:
            reads[id(value)] -= 1
            if isinstance(value, kinds) and not reads[id(value)]:
                todo.append(value)
    for block in function.blocks:
        block.instructions[:] = [i for i in block.instructions if id(i) not in gone]


def set_once(blocks):
    """Names that are set once, in a block that comes before every other that reads them: the block by name, and which of them are given."""
    cfg, reads = compute_cfg_from_blocks(blocks), compute_use_defs(blocks).usemap
    before, found, given, again = cfg.dominators(), {}, set(), set(must_use_alloca(blocks))
    for label, block in blocks.items():
        for inst in block.find_insts(ir.Assign):
            name = inst.target.name
            again |= {name} & found.keys()
            found[name] = label
            if isinstance(inst.value, ir.Arg):
                given.add(name)
    for label, names in reads.items():
        again |= {name for name in names if not (name in found and found[name] < label and found[name] in before[label])}
    return found.keys() - again, given


class AsValues(Lower):  # type: ignore[misc]  # numba is untyped
    """Numba's lowering, with values in place of stack slots. Where arrays are counted, only what counts none and what is given."""

    def _find_singly_assigned_variable(self):
        self.offtake_values = set()
        whole = self.func_ir.func_id.is_generator or self._disable_sroa_like_opt
        if whole or self.context.enable_nrt:
            super()._find_singly_assigned_variable()
        else:  # those that numba finds are among those found here
            self._singly_assigned_vars, self._blk_local_varmap = set(), {}
        if whole:
            return
        names, given = set_once(self.func_ir.blocks)
        self.offtake_values = {name for name in names if name in given or not self._is_counted(name)}
        self._singly_assigned_vars |= self.offtake_values

    def _is_counted(self, name):
        model = self.context.data_model_manager[self.typeof(name)]
        return self.context.enable_nrt and model.contains_nrt_meminfo()

    def setup_function(self, fndesc):
        """As numba does, with a builder that knows what tuples hold."""
        super().setup_function(fndesc)
        self.builder = Folding(self.entry_block)
        self.call_helper = self.call_conv.init_call_helper(self.builder)

    def incref(self, typ, val):
        """Count an array, but not one that the caller holds all the while."""
        if not self._is_given:
            super().incref(typ, val)

    _is_given = False

    def lower_assign(self, ty, inst):
        """As numba does; what is given is the caller's."""
        self._is_given = isinstance(inst.value, ir.Arg) and inst.target.name in self.offtake_values
        try:
            return super().lower_assign(ty, inst)
        finally:
            self._is_given = False

    def delvar(self, name):
        """The end of a variable: nothing to do where it counts nothing."""
        if name not in self.offtake_values and self.context.enable_nrt:
            super().delvar(name)

    def post_lower(self):
        """As numba does, then without tuples that nobody reads."""
        super().post_lower()
        drop_unread(self.function)


if AS_VALUES:

    @register_pass(mutates_CFG=True, analysis_only=False)
    class LowerAsValues(typed_passes.BaseNativeLowering):  # type: ignore[misc]
        """Numba's pass, with `AsValues`."""

        _name = "lower_as_values"

        @property
        def lowering_class(self):
            """What writes a function down."""
            return AsValues

        def run_pass(self, state):
            """As numba does; parts written into a way in find there what they need of Python (the words of a fault)."""
            changed = super().run_pass(state)
            if type(state.library) is JITCodeLibrary:
                for variable in state.library._final_module.global_variables:
                    known = lookup_environment(variable.name) if variable.name.startswith(ENVIRONMENT) else None
                    if known is not None:
                        state.library.codegen.set_env(variable.name, known)
            return changed


def use_values(passes):
    """Make a list of numba's passes write values."""
    if AS_VALUES:
        passes.passes = [(LowerAsValues if one is typed_passes.NativeLowering else one, said) for one, said in passes.passes]
