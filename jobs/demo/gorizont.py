"""Who is at the demo's main school? Made up, every one of them.

It follows EPOS_COLLEGE: the rules of mandatory chats, subgroups, links and calls come from that edition, and
its reach is narrow enough that different people see different things.
"""

from jobs.demo.roster_set import Person, School, StudyGroup


def _learners(key: str, count: int) -> tuple[str, ...]:
    return tuple(f"learner.{key}.{number}" for number in range(1, count + 1))


IN_9A, IN_9B, IN_10A, IN_11A, IN_7V = (
    _learners("9a", 7),
    _learners("9b", 6),
    _learners("10a", 5),
    _learners("11a", 4),
    _learners("7v", 4),
)

PERSONNEL = (
    Person("admin", "administrator", "Ирина", "Белова", "Павловна"),
    Person("director", "administrator", "Сергей", "Громов", "Иванович"),
    Person("secretary", "aide", "Анна", "Кузьмина", "Олеговна"),
    Person("library", "aide", "Софья", "Ёлкина", "Тимуровна"),
    Person("psychologist", "aide", "Алла", "Орлова-Зимина", "Юрьевна"),
    Person("curator.9a", "teacher", "Елена", "Соколова", "Викторовна"),
    Person("curator.9b", "teacher", "Артём", "Фёдоров", "Игоревич"),
    Person("curator.10a", "teacher", "Оксана", "Мельник", "Романовна"),
    Person("curator.11a", "teacher", "Пётр", "Зайцев", "Семёнович"),
    Person("curator.11a.2", "teacher", "Лидия", "Воронцова", "Кирилловна"),
    Person("teacher.math", "teacher", "Павел", "Никитин", "Андреевич"),
    Person("teacher.english", "teacher", "Shannon", "O'Brien"),
    Person("teacher.english.2", "teacher", "Дарья", "Тихонова", "Львовна"),
    Person("teacher.french", "teacher", "Hélène", "Lefèvre"),
    Person("teacher.physics", "teacher", "Глеб", "Ковалёв", "Денисович"),
    Person("teacher.sport", "teacher", "Ренат", "Сафин", "Маратович"),
    Person("teacher.music", "teacher", "Jean-Luc", "Marchais"),
)

LEARNERS = (
    Person("learner.9a.1", "student", "Анна", "Алексеева", "Михайловна", ("guardian.9a.1", "guardian.9a.2")),
    Person("learner.9a.2", "student", "Александр", "Иванов", "Дмитриевич", ("guardian.9a.3",)),
    Person("learner.9a.3", "student", "Пётр", "Семёнов", "Олегович", ("guardian.9a.4",)),
    Person("learner.9a.4", "student", "Zoé", "Dubreuil", "", ("guardian.9a.5",)),
    Person("learner.9a.5", "student", "Виктория", "Ким", "Андреевна", ("guardian.9a.6",)),
    Person("learner.9a.6", "student", "Дарья", "Новикова", "Ильинична", ("guardian.9a.7",)),
    Person("learner.9a.7", "student", "Лев", "Морозов", "Артурович"),
    Person("learner.9b.1", "student", "Тимофей", "Орлов", "Денисович", ("guardian.9b.1",)),
    Person("learner.9b.2", "student", "Oliver", "Walsh", "", ("guardian.9b.2",)),
    Person("learner.9b.3", "student", "Юлия", "Щербакова", "Антоновна", ("guardian.9b.3",)),
    Person("learner.9b.4", "student", "Матвей", "Гусев", "Ильич", ("guardian.9b.4",)),
    Person("learner.9b.5", "student", "Алия", "Сафина", "Ренатовна", ("guardian.9b.5", "teacher.sport")),
    Person("learner.9b.6", "student", "Éloïse", "D'Aubray", "", ("guardian.9b.6",)),
    Person("learner.10a.1", "student", "Ева", "Орлова", "Денисовна", ("guardian.9b.1",)),
    Person("learner.10a.2", "student", "Егор", "Яковлев", "Данилович", ("guardian.10a.1",)),
    Person("learner.10a.3", "student", "Александр", "Иванов", "Дмитриевич", ("guardian.10a.2",)),
    Person("learner.10a.4", "student", "Ксения", "Королёва", "Глебовна", ("guardian.10a.3", "guardian.10a.4")),
    Person("learner.10a.5", "student", "Юрий", "Титов", "Егорович", ("guardian.10a.5",)),
    Person("learner.11a.1", "student", "Нина", "Лебедева", "Борисовна", ("guardian.11a.1",)),
    Person("learner.11a.2", "student", "Макар", "Гусев", "Ильич", ("guardian.9b.4",)),
    Person("learner.11a.3", "student", "Роман", "Беляев", "Вадимович", ("guardian.11a.2",)),
    Person("learner.11a.4", "student", "Grace", "Ashby-Moore", "", ("guardian.11a.3",)),
    Person("learner.7v.1", "student", "Илья", "Алексеев", "Михайлович", ("guardian.9a.1", "guardian.9a.2")),
    Person("learner.7v.2", "student", "Арина", "Гусева", "Ильинична", ("guardian.9b.4",)),
    Person("learner.7v.3", "student", "Давид", "Чернов", "Русланович", ("guardian.7v.1",)),
    Person("learner.7v.4", "student", "Майя", "Зуева", "Павловна", ("guardian.7v.2",)),
)

GUARDIANS = (
    Person("guardian.9a.1", "guardian", "Ольга", "Алексеева", "Николаевна"),
    Person("guardian.9a.2", "guardian", "Михаил", "Алексеев", "Юрьевич"),
    Person("guardian.9a.3", "guardian", "Наталья", "Иванова", "Петровна"),
    Person("guardian.9a.4", "guardian", "Алёна", "Семёнова", "Игоревна"),
    Person("guardian.9a.5", "guardian", "François", "Dubreuil"),
    Person("guardian.9a.6", "guardian", "Андрей", "Ким", "Сергеевич"),
    Person("guardian.9a.7", "guardian", "Мария", "Новикова", "Фёдоровна"),
    Person("guardian.9b.1", "guardian", "Жанна", "Орлова", "Эдуардовна"),
    Person("guardian.9b.2", "guardian", "Emily", "Walsh"),
    Person("guardian.9b.3", "guardian", "Антон", "Щербаков", "Львович"),
    Person("guardian.9b.4", "guardian", "Вера", "Гусева", "Степановна"),
    Person("guardian.9b.5", "guardian", "Гульнара", "Сафина", "Ильдаровна"),
    Person("guardian.9b.6", "guardian", "Chloé", "D'Aubray"),
    Person("guardian.10a.1", "guardian", "Римма", "Яковлева", "Аркадьевна"),
    Person("guardian.10a.2", "guardian", "Светлана", "Иванова", "Юрьевна"),
    Person("guardian.10a.3", "guardian", "Инна", "Королёва", "Олеговна"),
    Person("guardian.10a.4", "guardian", "Глеб", "Королёв", "Максимович"),
    Person("guardian.10a.5", "guardian", "Егор", "Титов", "Валерьевич"),
    Person("guardian.11a.1", "guardian", "Борис", "Лебедев", "Захарович"),
    Person("guardian.11a.2", "guardian", "Тамара", "Беляева", "Ивановна"),
    Person("guardian.11a.3", "guardian", "Harriet", "Ashby-Moore"),
    Person("guardian.7v.1", "guardian", "Руслан", "Чернов", "Тагирович"),
    Person("guardian.7v.2", "guardian", "Павел", "Зуев", "Никитич"),
)


def _class(key: str, title: str, learners: tuple[str, ...], *teachers: str, curators: int) -> StudyGroup:
    """The first `curators` of the teachers are marked as primary."""
    return StudyGroup(key, title, "Классный час", teachers, learners, True, primary=teachers[:curators])


CLASSES = (
    _class("9a", "9А", IN_9A, "curator.9a", curators=1),
    # The other teacher of 9Б is no curator.
    _class("9b", "9Б", IN_9B, "curator.9b", "teacher.english", curators=1),
    # Nobody is marked: the only teacher is the curator.
    _class("10a", "10А", IN_10A, "curator.10a", curators=0),
    _class("11a", "11А", IN_11A, "curator.11a", "curator.11a.2", curators=2),
    # No curator has been named yet (E29).
    _class("7v", "7В", IN_7V, curators=0),
)

SUBGROUPS = (
    StudyGroup("math.9a", "Математика 9А", "Математика", ("teacher.math",), IN_9A),
    StudyGroup("math.10a", "Математика 10А", "Математика", ("teacher.math",), IN_10A),
    StudyGroup("english.9a.1", "Английский 9А-1", "Английский язык", ("teacher.english",), IN_9A[:3]),
    StudyGroup("english.9a.2", "Английский 9А-2", "Английский язык", ("teacher.english.2",), IN_9A[3:]),
    StudyGroup(
        "french",
        "Французский 9-10",
        "Французский язык",
        ("teacher.french",),
        ("learner.9a.4", "learner.9b.1", "learner.9b.6", "learner.10a.1"),
    ),
    StudyGroup("literature.9a", "Литература 9А", "Литература", ("curator.9a",), IN_9A),
    StudyGroup("physics.9b", "Физика 9Б", "Физика", ("teacher.physics",), IN_9B),
    StudyGroup("history.11a", "История 11А", "История", ("director",), IN_11A),
    StudyGroup("sport.7v", "Физкультура 7В", "Физическая культура", ("teacher.sport",), IN_7V),
)

GORIZONT = School(
    source_id="demo-gorizont",
    name="Школа Горизонт",
    preset="EPOS_COLLEGE",
    time_zone="Asia/Yekaterinburg",
    locale="ru",
    people=PERSONNEL + LEARNERS + GUARDIANS,
    study_groups=CLASSES + SUBGROUPS,
)
