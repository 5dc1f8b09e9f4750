"""What do people read when something is refused? One sentence for each code, in each language."""

from models.errors import Code

REASONS: dict[Code, dict[str, str]] = {
    Code.NOT_FOUND: {
        "en": "This does not exist, or you cannot see it.",
        "fr": "Cela n'existe pas, ou vous n'y avez pas accès.",
        "ru": "Этого нет, или у вас нет к нему доступа.",
    },
    Code.INVALID_INPUT: {
        "en": "Check this field: its value cannot be used.",
        "fr": "Vérifiez ce champ : sa valeur n'est pas utilisable.",
        "ru": "Проверьте это поле: его значение не подходит.",
    },
    Code.TOO_LARGE: {
        "en": "This is more than your organization allows.",
        "fr": "C'est plus que ce que votre établissement autorise.",
        "ru": "Это больше, чем разрешено в вашей организации.",
    },
    Code.NOT_ALLOWED: {
        "en": "You do not have the right to do this.",
        "fr": "Vous n'avez pas le droit de faire cela.",
        "ru": "У вас нет прав на это действие.",
    },
    Code.IDEMPOTENCY_CONFLICT: {
        "en": "This key was already used for something else.",
        "fr": "Cette clé a déjà servi pour autre chose.",
        "ru": "Этот ключ уже использован для другого действия.",
    },
    Code.MANDATORY_CHAT: {
        "en": "This chat is kept by the school: it cannot be changed or deleted.",
        "fr": "Cette discussion est gérée par l'établissement : on ne peut ni la modifier ni la supprimer.",
        "ru": "Это обязательный чат: его нельзя изменить или удалить.",
    },
    Code.NOT_ADMINISTRATOR: {
        "en": "Only an administrator of the chat can do this.",
        "fr": "Seul un administrateur de la discussion peut faire cela.",
        "ru": "Это может сделать только администратор чата.",
    },
    Code.LAST_ADMINISTRATOR: {
        "en": "A chat needs an administrator: appoint another one first.",
        "fr": "Il faut un administrateur : nommez-en d'abord un autre.",
        "ru": "Нужен хотя бы один администратор: сначала назначьте другого.",
    },
    Code.NO_SUBGROUP: {
        "en": "You can create a chat only for a subgroup that you teach.",
        "fr": "Vous ne pouvez créer une discussion que pour un groupe où vous enseignez.",
        "ru": "Чат можно создать только для подгруппы, которую вы ведёте.",
    },
    Code.PROFILE_NOT_LINKED: {
        "en": "Link your profile to the messenger first.",
        "fr": "Associez d'abord votre profil à la messagerie.",
        "ru": "Сначала привяжите учебный профиль к мессенджеру.",
    },
    Code.PROFILE_TAKEN: {
        "en": "This messenger account is linked to somebody else.",
        "fr": "Ce compte de messagerie est associé à une autre personne.",
        "ru": "Этот профиль мессенджера уже привязан к другому человеку.",
    },
    Code.CALL_ALREADY_PUBLISHED: {
        "en": "A published call exists in the chat: finish it first.",
        "fr": "Un appel est déjà publié dans la discussion : terminez-le d'abord.",
        "ru": "В чате есть опубликованный онлайн-звонок: сначала завершите его.",
    },
    Code.WRONG_CALL_STATUS: {
        "en": "The status of the call does not allow this.",
        "fr": "L'état de l'appel ne le permet pas.",
        "ru": "Статус звонка этого не позволяет.",
    },
    Code.OUT_OF_REACH: {
        "en": "There is nobody by that name whom you can write to.",
        "fr": "Il n'y a personne de ce nom à qui vous pouvez écrire.",
        "ru": "Нет такого человека, которому вы можете написать.",
    },
    Code.CANNOT_START: {
        "en": "You can answer this person, but not write first.",
        "fr": "Vous pouvez répondre à cette personne, mais pas écrire en premier.",
        "ru": "Этому человеку можно ответить, но нельзя написать первым.",
    },
    Code.COUNTERPART_GONE: {
        "en": "This person is no longer here; the history stays readable.",
        "fr": "Cette personne n'est plus là ; l'historique reste lisible.",
        "ru": "Этого человека больше нет здесь; переписку можно читать.",
    },
    Code.NOT_PARTICIPANT: {
        "en": "You no longer take part in this conversation.",
        "fr": "Vous ne participez plus à cette conversation.",
        "ru": "Вы больше не участвуете в этой беседе.",
    },
    Code.MESSAGING_DISABLED: {
        "en": "Messages are switched off in your organization.",
        "fr": "Les messages sont désactivés dans votre établissement.",
        "ru": "Сообщения в вашей организации отключены.",
    },
    Code.LOCKDOWN: {
        "en": "At the moment only administrators can send messages.",
        "fr": "Pour le moment, seuls les administrateurs peuvent envoyer des messages.",
        "ru": "Сейчас отправлять сообщения могут только администраторы.",
    },
    Code.IMMUTABLE: {
        "en": "What was sent cannot be deleted here.",
        "fr": "Ce qui a été envoyé ne peut pas être supprimé ici.",
        "ru": "Отправленное здесь нельзя удалить.",
    },
    Code.NOT_IN_TRASH: {
        "en": "This message is not in the trash.",
        "fr": "Ce message n'est pas dans la corbeille.",
        "ru": "Этого сообщения нет в корзине.",
    },
    Code.NO_RECIPIENT: {
        "en": "Add at least one recipient.",
        "fr": "Ajoutez au moins un destinataire.",
        "ru": "Добавьте хотя бы одного получателя.",
    },
    Code.KIND_NOT_OFFERED: {
        "en": "Your organization does not offer this.",
        "fr": "Votre établissement ne propose pas cela.",
        "ru": "В вашей организации это не предусмотрено.",
    },
    Code.ALREADY_HIDDEN: {
        "en": "This message has been hidden: that cannot be taken back.",
        "fr": "Ce message a été masqué : on ne peut pas revenir en arrière.",
        "ru": "Сообщение уже скрыто: вернуть его нельзя.",
    },
}


def reason(code: Code, locale: str) -> str:
    """Why it was refused, for the person who asked."""
    return REASONS[code][locale]
