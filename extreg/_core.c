/* The compiled core of extreg: reads pickle bytes as extreg/pickles/walking does.
 *
 * Built with -DEXTREG_VERSION='"..."', the version of the package it belongs to (extreg/compiled.py refuses others).
 */
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static int
core_exec(PyObject *module)
{
    return PyModule_AddStringConstant(module, "version", EXTREG_VERSION);
}

static PyModuleDef_Slot core_slots[] = {{Py_mod_exec, core_exec}, {0, NULL}};

static struct PyModuleDef core_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "extreg._core",
    .m_doc = "The compiled core: see extreg/compiled.py.",
    .m_slots = core_slots,
};

PyMODINIT_FUNC
PyInit__core(void)
{
    return PyModuleDef_Init(&core_module);
}
