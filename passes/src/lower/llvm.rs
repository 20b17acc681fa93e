//! The calls to LLVM that melior has no words for: translation to LLVM IR, the optimiser, the target machine.
//!
//! All `unsafe` code of this crate is here. Every LLVM object lives in a wrapper that frees it; the module is freed
//! before its context.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char};

use llvm_sys::{core::*, prelude::*, target::*, target_machine::*, transforms::pass_builder::*};
use melior::ir::Module;

use crate::{emit::Lanes, target::Target};

/// LLVM IR with the target machine it was optimised for.
pub(crate) struct LlvmModule {
    context: LLVMContextRef,
    module: LLVMModuleRef,
    machine: LLVMTargetMachineRef,
}

impl Drop for LlvmModule {
    fn drop(&mut self) {
        // SAFETY: the three were made by `translate`, nobody else frees them, and the module goes before its context.
        unsafe {
            LLVMDisposeModule(self.module);
            LLVMDisposeTargetMachine(self.machine);
            LLVMContextDispose(self.context);
        }
    }
}

/// Translates a module of the `llvm` dialect, adds the plan under its symbol, and optimises for the target.
///
/// # Errors
/// What LLVM said.
pub(crate) fn translate(module: &Module, target: &Target, symbol: &str, plan: &[u8]) -> Result<LlvmModule, String> {
    let machine = target_machine(target)?;
    // SAFETY: a fresh context is owned by the wrapper below; the MLIR module is borrowed for the call and has passed
    // MLIR's conversion to the llvm dialect. MLIR and llvm-sys declare the same C types separately, hence the casts.
    let mut llvm = unsafe {
        let context = LLVMContextCreate();
        let raw = mlir_sys::mlirTranslateModuleToLLVMIR(module.as_operation().to_raw(), context.cast());
        if raw.is_null() {
            LLVMDisposeTargetMachine(machine);
            LLVMContextDispose(context);
            return Err("MLIR's translation to LLVM IR failed".into());
        }
        LlvmModule { context, module: raw.cast(), machine }
    };
    llvm.add_constant(symbol, plan)?;
    llvm.optimise(target)?;
    Ok(llvm)
}

fn target_machine(target: &Target) -> Result<LLVMTargetMachineRef, String> {
    let (triple, cpu) = (c_string(&target.triple)?, c_string(&target.cpu)?);
    let features = c_string(&target.llvm_features)?;
    // SAFETY: the initialisers may be called any number of times; the strings outlive the calls; the error text is
    // freed after it is copied.
    unsafe {
        LLVMInitializeX86TargetInfo();
        LLVMInitializeX86Target();
        LLVMInitializeX86TargetMC();
        LLVMInitializeX86AsmPrinter();
        LLVMInitializeNVPTXTargetInfo();
        LLVMInitializeNVPTXTarget();
        LLVMInitializeNVPTXTargetMC();
        LLVMInitializeNVPTXAsmPrinter();
        LLVMInitializeAArch64TargetInfo();
        LLVMInitializeAArch64Target();
        LLVMInitializeAArch64TargetMC();
        LLVMInitializeAArch64AsmPrinter();
        let mut found = std::ptr::null_mut();
        let mut message = std::ptr::null_mut();
        if LLVMGetTargetFromTriple(triple.as_ptr(), &mut found, &mut message) != 0 {
            return Err(take_message(message));
        }
        let machine = LLVMCreateTargetMachine(
            found,
            triple.as_ptr(),
            cpu.as_ptr(),
            features.as_ptr(),
            LLVMCodeGenOptLevel::LLVMCodeGenLevelAggressive,
            LLVMRelocMode::LLVMRelocPIC,
            LLVMCodeModel::LLVMCodeModelDefault,
        );
        if machine.is_null() { Err("LLVM has no machine for the target".into()) } else { Ok(machine) }
    }
}

impl LlvmModule {
    /// Adds bytes, with a zero after them, as an exported constant.
    fn add_constant(&mut self, symbol: &str, bytes: &[u8]) -> Result<(), String> {
        let symbol = c_string(symbol)?;
        // SAFETY: module and context are alive; LLVM copies the bytes.
        unsafe {
            let text = LLVMConstStringInContext2(self.context, bytes.as_ptr().cast::<c_char>(), bytes.len(), 0);
            let global = LLVMAddGlobal(self.module, LLVMTypeOf(text), symbol.as_ptr());
            LLVMSetInitializer(global, text);
            LLVMSetGlobalConstant(global, 1);
        }
        Ok(())
    }

    fn optimise(&mut self, target: &Target) -> Result<(), String> {
        let triple = c_string(&target.triple)?;
        // SAFETY: module, context and machine are alive for the calls; options and messages are freed.
        unsafe {
            LLVMSetTarget(self.module, triple.as_ptr());
            let layout = LLVMCreateTargetDataLayout(self.machine);
            LLVMSetModuleDataLayout(self.module, layout);
            LLVMDisposeTargetData(layout);
            let mut function = LLVMGetFirstFunction(self.module);
            let lanes = if target.lanes_are == Lanes::Register { target.lanes } else { 1 };
            let width = (lanes * 32).to_string();
            while !function.is_null() {
                self.attribute(function, "prefer-vector-width", &width);
                self.attribute(function, "target-cpu", &target.cpu);
                self.attribute(function, "target-features", &target.llvm_features);
                function = LLVMGetNextFunction(function);
            }
            let options = LLVMCreatePassBuilderOptions();
            let error = LLVMRunPasses(self.module, c"default<O3>".as_ptr(), self.machine, options);
            LLVMDisposePassBuilderOptions(options);
            if error.is_null() {
                return Ok(());
            }
            let message = llvm_sys::error::LLVMGetErrorMessage(error);
            let text = CStr::from_ptr(message).to_string_lossy().into_owned();
            llvm_sys::error::LLVMDisposeErrorMessage(message);
            Err(text)
        }
    }

    /// # Safety
    /// `function` belongs to this module.
    unsafe fn attribute(&self, function: LLVMValueRef, key: &str, value: &str) {
        // SAFETY: LLVM copies both strings, whose lengths are given; the function belongs to the context's module.
        unsafe {
            let attribute = LLVMCreateStringAttribute(
                self.context,
                key.as_ptr().cast(),
                key.len() as u32,
                value.as_ptr().cast(),
                value.len() as u32,
            );
            LLVMAddAttributeAtIndex(function, llvm_sys::LLVMAttributeFunctionIndex, attribute);
        }
    }

    /// The optimised LLVM IR as text.
    pub(crate) fn text(&self) -> String {
        // SAFETY: the module is alive; LLVM's string is copied, then freed.
        unsafe {
            let text = LLVMPrintModuleToString(self.module);
            let copy = CStr::from_ptr(text).to_string_lossy().into_owned();
            LLVMDisposeMessage(text);
            copy
        }
    }

    /// Machine code: an object file, or assembly text.
    ///
    /// # Errors
    /// What LLVM said.
    pub(crate) fn emit(&self, assembly: bool) -> Result<Vec<u8>, String> {
        let kind = if assembly { LLVMCodeGenFileType::LLVMAssemblyFile } else { LLVMCodeGenFileType::LLVMObjectFile };
        // SAFETY: module and machine are alive; the buffer is copied within its size, then freed, as is a message.
        unsafe {
            let mut message = std::ptr::null_mut();
            let mut buffer = std::ptr::null_mut();
            if LLVMTargetMachineEmitToMemoryBuffer(self.machine, self.module, kind, &mut message, &mut buffer) != 0 {
                return Err(take_message(message));
            }
            let (start, size) = (LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer));
            let bytes = std::slice::from_raw_parts(start.cast::<u8>(), size).to_vec();
            LLVMDisposeMemoryBuffer(buffer);
            Ok(bytes)
        }
    }
}

fn c_string(text: &str) -> Result<CString, String> {
    CString::new(text).map_err(|_| format!("`{text}` holds a zero byte"))
}

/// # Safety
/// `message` was allocated by LLVM and is not used afterwards.
unsafe fn take_message(message: *mut c_char) -> String {
    if message.is_null() {
        return "LLVM gave no reason".into();
    }
    // SAFETY: the caller hands over a string of LLVM's; it is copied, then freed once.
    unsafe {
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        LLVMDisposeMessage(message);
        text
    }
}
