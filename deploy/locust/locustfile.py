"""Plain readers in a step, for pods: the files of loadtests/ lie side by side there, as a ConfigMap lays them."""

import sys
import types
from pathlib import Path

package = types.ModuleType("loadtests")
package.__path__ = [str(Path(__file__).parent)]  # so that `loadtests.pace` is pace.py beside this file
sys.modules["loadtests"] = package

from loadtests.plain import PlainUser  # noqa: E402, F401 - what locust looks for
from loadtests.step import Step  # noqa: E402, F401
