using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace Minigrad.Gpu;

/// <summary>
/// ILGPU asks for native libraries by names that only development packages install (<c>libOpenCL.so</c>), or by the
/// version of an older release. This finds them under the names that drivers install.
/// </summary>
internal static class NativeLibraryNames
{
    private static readonly Dictionary<string, string[]> Alternatives = new()
    {
        ["OpenCL"] = ["libOpenCL.so.1"],
        ["cuda"] = ["libcuda.so.1"],
        ["libcublas.so.12"] = ["libcublas.so.13"],
        ["nvidia-ml.so"] = ["libnvidia-ml.so.1"],
        ["libcurand.so.12"] = ["libcurand.so.10"],
    };

    private static int installed;

    /// <summary>The files that NVIDIA's driver installs: Linux, Windows' Linux, Windows.</summary>
    public static IReadOnlyList<string> Cuda { get; } = ["libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1", "nvcuda.dll"];

    /// <summary>The files of OpenCL's loader: Linux, Windows, macOS.</summary>
    public static IReadOnlyList<string> OpenCl { get; } =
        ["libOpenCL.so.1", "OpenCL.dll", "/System/Library/Frameworks/OpenCL.framework/OpenCL"];

    /// <summary>
    /// Installs the search, once. Must run before the first ILGPU context, which decides for the whole process whether
    /// a driver is there. The event is raised only after the usual search failed, so it hides nobody's library.
    /// </summary>
    public static void Install()
    {
        if (Interlocked.Exchange(ref installed, 1) == 0)
        {
            AssemblyLoadContext.Default.ResolvingUnmanagedDll += Resolve;
        }
    }

    /// <summary>The first of some files that this machine can load, or null.</summary>
    /// <param name="files">Names for the system's search, or paths.</param>
    public static string? Find(IReadOnlyList<string> files)
    {
        foreach (string file in files)
        {
            if (NativeLibrary.TryLoad(file, out nint handle))
            {
                NativeLibrary.Free(handle);
                return file;
            }
        }

        return null;
    }

    /// <summary>The library that a package of ILGPU asks for by a name, or 0.</summary>
    /// <param name="assembly">Who asks.</param>
    /// <param name="name">The name.</param>
    internal static nint Resolve(Assembly assembly, string name)
    {
        if (assembly.GetName().Name is "ILGPU" or "ILGPU.Algorithms" && Alternatives.TryGetValue(name, out string[]? files))
        {
            foreach (string file in files)
            {
                if (NativeLibrary.TryLoad(file, out nint handle))
                {
                    return handle;
                }
            }
        }

        return 0;
    }
}
