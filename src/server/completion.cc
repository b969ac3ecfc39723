#include "server/completion.h"

#include <fmt/format.h>

namespace quorate::server {

Result<std::string> RenderCompletion(std::string_view shell,
                                     const std::vector<CompletionEntry>& entries) {
  if (shell != "bash" && shell != "zsh") {
    return Error(Code::kInvalidArgument, fmt::format("no completion for '{}'; bash and zsh are "
                                                     "known",
                                                     shell));
  }
  std::string script;
  if (shell == "zsh") {
    script += "autoload -U +X bashcompinit && bashcompinit\n";
  }
  script +=
      "_quorate() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} path='' word words\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case $word in -*) ;; *) path=\"${path:+$path }$word\" ;; esac\n"
      "  done\n"
      "  case $path in\n";
  for (const CompletionEntry& entry : entries) {
    const std::string pattern =
        entry.path.empty() ? "''" : fmt::format("'{0}' | '{0} '*", entry.path);
    script += fmt::format("    {}) words='{}' ;;\n", pattern, fmt::join(entry.words, " "));
  }
  script +=
      "    *) words='' ;;\n"
      "  esac\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
      "}\n"
      "complete -o default -F _quorate quorate\n";
  return script;
}

}  // namespace quorate::server
